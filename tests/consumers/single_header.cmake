# The library as one header: the quickstart beside another unit that includes it, in one program.
# Variables: script, compiler, include (Eigen's folder), quickstart, out.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY "${out}")
run(sh "${script}" "${out}/gal_single.hpp")
file(READ "${out}/gal_single.hpp" header)
if(header MATCHES "#include <gal/")
  message(FATAL_ERROR "gal_single.hpp includes a header of gal")
endif()

file(READ "${quickstart}" code)
string(REPLACE "#include <gal/gal.hpp>" "#include \"gal_single.hpp\"" single "${code}")
if(single STREQUAL code)
  message(FATAL_ERROR "${quickstart} does not include gal/gal.hpp")
endif()
file(WRITE "${out}/quickstart.cpp" "${single}")
file(WRITE "${out}/other.cpp" "#include \"gal_single.hpp\"
double other_mean() { return gal::mean(gal::matrix<double>(2, 3, 1.5)); }
")
foreach(unit IN ITEMS quickstart other)
  run("${compiler}" -std=c++20 -O0 -I "${out}" -isystem "${include}" -c "${out}/${unit}.cpp" -o "${out}/${unit}.o")
endforeach()
run("${compiler}" "${out}/quickstart.o" "${out}/other.o" -o "${out}/single")
run("${out}/single")
