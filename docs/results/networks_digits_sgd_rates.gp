# Draws networks_digits_sgd_rates again: gnuplot networks_digits_sgd_rates.gp
if (!exists('suffix')) suffix = ''
set encoding utf8
set datafile separator ','
vanilla = '#D55E00'
adjusted = '#0072B2'
ink = '#333333'
set border linecolor rgb ink
set tics textcolor rgb ink
set key textcolor rgb ink
png = strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo rounded' : 'png truecolor'
terminal_of(kind) = kind eq 'svg' ? 'svg dynamic rounded' : kind eq 'gif' ? 'gif animate delay 6 loop 0 optimize' : png
font_of(kind) = kind eq 'gif' ? '' : sprintf(" font 'sans-serif,%d'", kind eq 'svg' ? 14 : 13)
start(kind, width, height) = sprintf("set terminal %s size %d,%d%s background rgb 'white'; set output '%s'", \
  terminal_of(kind), width, height, font_of(kind), 'networks_digits_sgd_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
0.003,0.142433234421365,NaN
0.01,0.0702274975272008,NaN
0.03,0.044510385756676554,NaN
0.1,0.03560830860534125,NaN
0.3,0.02967359050445104,0.02967359050445104
1,0.050445103857566766,NaN
END
$m1 << END
0.003,0.06824925816023739,NaN
0.01,0.044510385756676554,NaN
0.03,0.03758654797230465,0.03758654797230465
0.1,0.040553907022749754,NaN
0.3,0.6696340257171117,NaN
1,0.3600395647873393,NaN
END
$m2 << END
0.003,0.04549950544015826,NaN
0.01,0.040553907022749754,NaN
0.03,0.03857566765578635,NaN
0.1,0.02967359050445104,0.02967359050445104
0.3,0.032640949554896145,NaN
1,0.8061325420375866,NaN
END
$m3 << END
0.003,0.17507418397626112,NaN
0.01,0.06429277942631058,NaN
0.03,0.04747774480712166,NaN
0.1,0.043521266073194856,0.043521266073194856
0.3,0.04846686449060336,NaN
1,0.05341246290801187,NaN
END
$m4 << END
0.003,0.27794263105835804,NaN
0.01,0.08110781404549951,NaN
0.03,0.055390702274975265,NaN
0.1,0.039564787339268055,0.039564787339268055
0.3,0.6547972304648862,NaN
1,0.8921859545004945,NaN
END
$m5 << END
0.003,0.10880316518298715,NaN
0.01,0.06429277942631059,NaN
0.03,0.04747774480712166,NaN
0.1,0.04253214638971316,0.04253214638971316
0.3,0.6943620178041543,NaN
1,0.9109792284866469,NaN
END
$m6 << END
0.003,0.13452027695351138,NaN
0.01,0.06824925816023739,NaN
0.03,0.04747774480712166,0.04747774480712166
0.1,0.0791295746785361,NaN
0.3,0.7992087042532147,NaN
1,0.8981206726013847,NaN
END
$m7 << END
0.003,0.0712166172106825,0.0712166172106825
0.01,0.6033630069238378,NaN
0.03,0.9000989119683481,NaN
0.1,0.6696340257171117,NaN
0.3,0.9000989119683481,NaN
1,0.887240356083086,NaN
END
$m8 << END
0.003,0.1473788328387735,NaN
0.01,0.0712166172106825,NaN
0.03,0.04648862512363996,NaN
0.1,0.028684470820969338,NaN
0.3,0.019782393669634028,0.019782393669634028
1,0.0722057368941642,NaN
END
$m9 << END
0.003,0.142433234421365,NaN
0.01,0.06627101879327399,NaN
0.03,0.044510385756676554,NaN
0.1,0.026706231454005934,NaN
0.3,0.021760633036597428,0.021760633036597428
1,0.6083086053412463,NaN
END
$m10 << END
0.003,0.1444114737883284,NaN
0.01,0.0712166172106825,NaN
0.03,0.04747774480712166,NaN
0.1,0.03165182987141444,NaN
0.3,0.02472799208704253,0.02472799208704253
1,0.5192878338278931,NaN
END
$m11 << END
0.003,0.036597428288822946,0.036597428288822946
0.01,0.036597428288822946,NaN
0.03,0.036597428288822946,NaN
0.1,0.036597428288822946,NaN
0.3,0.036597428288822946,NaN
1,0.036597428288822946,NaN
END
$m12 << END
0.003,0.18892185954500493,NaN
0.01,0.0741839762611276,NaN
0.03,0.05242334322453017,NaN
0.1,0.03956478733926805,NaN
0.3,0.02967359050445104,0.02967359050445104
1,0.054401582591493566,NaN
END
$m13 << END
0.003,0.20474777448071216,NaN
0.01,0.08407517309594462,NaN
0.03,0.05637982195845698,NaN
0.1,0.044510385756676554,NaN
0.3,0.033630069238377844,0.033630069238377844
1,0.06231454005934718,NaN
END
$m14 << END
0.003,0.19188921859545005,NaN
0.01,0.0751730959446093,NaN
0.03,0.054401582591493566,NaN
0.1,0.040553907022749754,NaN
0.3,0.03461918892185954,0.03461918892185954
1,0.04154302670623145,NaN
END
$m15 << END
0.003,0.1493570722057369,NaN
0.01,0.07319485657764589,NaN
0.03,0.04549950544015825,NaN
0.1,0.03560830860534125,NaN
0.3,0.03066271018793274,0.03066271018793274
1,0.05637982195845697,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [0.017804154302670624:0.06132542037586548]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Digits, SGD with momentum: test_error on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
  set title 'GAL, recommended, setting 1e-04' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, epsilon tuned, setting 1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, paper, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'untrained adjuster, setting 1e-04' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'uniform noise, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'normal noise, setting 0.01' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'linear adjuster, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m7 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m7 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'label smoothing, setting 0.2' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m8 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m8 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'feature decay, setting 0.01' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m9 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m9 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'mixed features, setting 0.03' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m10 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m10 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m11 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m11 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'held-out samples mixed in, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m12 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m12 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rates of samples, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m13 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m13 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weights by a network, setting 1e-04' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m14 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m14 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'alignment reward, setting 1e-04' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m15 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m15 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
