# Draws networks_diabetes_rates again: gnuplot networks_diabetes_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_diabetes_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
0.001,4238.480813834904,NaN
0.003,3105.8839160922626,3105.8839160922626
0.01,3133.1836394486468,NaN
0.03,3318.123265069997,NaN
0.1,4622.640788196289,NaN
0.3,5593.378578877172,NaN
END
$m1 << END
0.001,4345.687723720122,NaN
0.003,3096.182339299009,3096.182339299009
0.01,3141.991215541991,NaN
0.03,3401.9063879173527,NaN
0.1,5267.649410101915,NaN
0.3,5744.553016155357,NaN
END
$m2 << END
0.001,4237.869401131987,NaN
0.003,3093.459474972522,3093.459474972522
0.01,3139.933957132056,NaN
0.03,3303.105896979594,NaN
0.1,4656.469357224623,NaN
0.3,5380.089028474347,NaN
END
$m3 << END
0.001,4126.2633629114025,NaN
0.003,3115.110791648645,3115.110791648645
0.01,3225.007973226336,NaN
0.03,3227.641110450314,NaN
0.1,4604.553227587518,NaN
0.3,5337.0922901115055,NaN
END
$m4 << END
0.001,4420.48965036333,NaN
0.003,3173.6866710925033,3173.6866710925033
0.01,3215.1588455243304,NaN
0.03,3349.357993087181,NaN
0.1,4500.77075404867,NaN
0.3,5395.935565341109,NaN
END
$m5 << END
0.001,4299.935909714069,NaN
0.003,3115.9391618893706,3115.9391618893706
0.01,3121.443942075054,NaN
0.03,3213.3321038167046,NaN
0.1,3688.798199751095,NaN
0.3,5083.196519629404,NaN
END
$m6 << END
0.001,4302.062896767316,NaN
0.003,3111.6684006887626,3111.6684006887626
0.01,3118.773488319465,NaN
0.03,3252.823685806642,NaN
0.1,4159.318608526083,NaN
0.3,5021.010964129943,NaN
END
$m7 << END
0.001,4303.385504822542,NaN
0.003,3234.61582678855,3234.61582678855
0.01,3290.535412886696,NaN
0.03,3370.799320386576,NaN
0.1,4564.830536773382,NaN
0.3,4961.829127958486,NaN
END
$m8 << END
0.001,4238.480813834904,NaN
0.003,3105.6917800030433,NaN
0.01,3102.941504257519,3102.941504257519
0.03,3158.21185826626,NaN
0.1,3169.935819537076,NaN
0.3,3232.9943263205637,NaN
END
$m9 << END
0.001,4015.5842717331266,NaN
0.003,4015.4864245495123,NaN
0.01,4015.420644711462,4015.420644711462
0.03,4015.4857271191017,NaN
0.1,4015.422806202104,NaN
0.3,4032.39119863457,NaN
END
$m10 << END
0.001,4459.730746069456,NaN
0.003,3413.121008429449,3413.121008429449
0.01,3443.5790682755187,NaN
0.03,3657.975038856788,NaN
0.1,4067.2877314728116,NaN
0.3,4456.853435681056,NaN
END
$m11 << END
0.001,4822.989961485527,NaN
0.003,4384.477499872881,NaN
0.01,4429.185072860274,NaN
0.03,4506.966181241142,NaN
0.1,4109.777334213477,4109.777334213477
0.3,4274.140526740826,NaN
END
$m12 << END
0.001,5363.676228483135,NaN
0.003,4424.279322722112,4424.279322722112
0.01,6131.259040995678,NaN
0.03,11700.967728119684,NaN
0.1,9757.403483325792,NaN
0.3,9447.817922433323,NaN
END
$m13 << END
0.001,4288.220059780752,NaN
0.003,3116.0102438525073,3116.0102438525073
0.01,3130.729715471609,NaN
0.03,3244.29320116172,NaN
0.1,3940.783191637388,NaN
0.3,5034.611462638672,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [2968.4635197772895:5718.3745340724045]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Diabetes: mse on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
  set title 'GAL, recommended' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, epsilon tuned, setting 1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, paper' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'untrained adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'uniform noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'normal noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'linear adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m7 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m7 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weight decay, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m8 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m8 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m9 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m9 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'held-out samples mixed in' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m10 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m10 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rates of samples' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m11 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m11 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weights by a network' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m12 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m12 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'alignment reward' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m13 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m13 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
