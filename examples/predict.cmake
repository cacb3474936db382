# cmake -D train=PROGRAM -D predict=PROGRAM -D file=PREFIX -D csv=FILE -P predict.cmake
# Passes where `predict` prints for every row of the table what `train` said of one of them, with and without the names of the
# columns, and refuses a row that is too short.
file(MAKE_DIRECTORY "${file}")
set(model "${file}/model.safetensors")
execute_process(COMMAND "${train}" --csv "${csv}" --epochs 5 --out "${model}" OUTPUT_VARIABLE said RESULT_VARIABLE result)
if(NOT result STREQUAL "0" OR NOT said MATCHES "; row ([0-9]+): ([-+.e0-9]+)\n")
  message(FATAL_ERROR "${train} ended with ${result} and said: ${said}")
endif()
set(row "${CMAKE_MATCH_1}")
set(expected "${CMAKE_MATCH_2}")

# predicted(RESULT ROWS): the lines that `predict` prints for a file of rows.
function(predicted result rows)
  execute_process(COMMAND "${predict}" "${model}" INPUT_FILE "${rows}" OUTPUT_VARIABLE lines ERROR_VARIABLE lines
    RESULT_VARIABLE code)
  string(REGEX REPLACE "\n$" "" lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  set(${result} "${lines}" PARENT_SCOPE)
  set(code "${code}" PARENT_SCOPE)
endfunction()

# The whole table, whose header says which columns are inputs.
file(STRINGS "${csv}" table)
list(LENGTH table count)
math(EXPR count "${count} - 1")
predicted(lines "${csv}")
list(LENGTH lines printed)
math(EXPR place "${row} - 1")
list(GET lines ${place} line)
if(NOT printed EQUAL count OR NOT line STREQUAL expected)
  message(FATAL_ERROR "${printed} lines for ${count} rows; row ${row} is ${line}; expected ${expected}")
endif()

# The row by itself, without the target and the names.
list(GET table ${row} line)
string(REGEX REPLACE ",[^,]*$" "" line "${line}")
file(WRITE "${file}/row.csv" "${line}\n")
predicted(line "${file}/row.csv")
if(NOT line STREQUAL expected)
  message(FATAL_ERROR "the row by itself is ${line}; expected ${expected}")
endif()

file(WRITE "${file}/short.csv" "1,2,3\n")
predicted(line "${file}/short.csv")
if(code EQUAL 0 OR NOT line MATCHES "a row of 3 numbers. expected 10 .age, sex, bmi")
  message(FATAL_ERROR "a row of three numbers gives ${code}, ${line}")
endif()
message(STATUS "row ${row}: ${expected}")
