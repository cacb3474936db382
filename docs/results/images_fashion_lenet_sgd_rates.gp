# Draws images_fashion_lenet_sgd_rates again: gnuplot images_fashion_lenet_sgd_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'images_fashion_lenet_sgd_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
0.003,0.1872,NaN
0.01,0.1361,NaN
0.03,0.1166,0.1166
0.1,0.1459,NaN
0.3,0.9012,NaN
END
$m1 << END
0.003,0.1546,NaN
0.01,0.1233,NaN
0.03,0.115,0.115
0.1,0.9012,NaN
0.3,0.8979,NaN
END
$m2 << END
0.003,0.2225,NaN
0.01,0.1533,NaN
0.03,0.122,NaN
0.1,0.112,0.112
0.3,0.1333,NaN
END
$m3 << END
0.003,0.1349,NaN
0.01,0.1173,0.1173
0.03,0.1393,NaN
0.1,0.9012,NaN
0.3,0.8979,NaN
END
$m4 << END
0.003,0.1891,NaN
0.01,0.1362,NaN
0.03,0.114,0.114
0.1,0.1278,NaN
0.3,0.9012,NaN
END
$m5 << END
0.003,0.2029,NaN
0.01,0.1423,NaN
0.03,0.1142,0.1142
0.1,0.1164,NaN
0.3,0.2167,NaN
END
$m6 << END
0.003,0.1472,0.1472
0.01,0.1494,NaN
0.03,0.1478,NaN
0.1,0.1483,NaN
0.3,0.1474,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [0.1008:0.3472]
do for [kind in 'png'] {
  eval start(kind, 1300, 590)
  set multiplot layout 2,4 title 'Fashion-MNIST, LeNet, SGD with momentum: share of errors on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.06779661016949153, 0.8220338983050848 spacing 0.046153846153846156, 0.12542372881355932
  set title 'GAL, epsilon 1, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'label smoothing 0.3, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, recommended, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'feature decay 0.003, setting 0.001' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'mixed features 0.3, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
