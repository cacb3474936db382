# Draws images_fashion_lenet_adam_rates again: gnuplot images_fashion_lenet_adam_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'images_fashion_lenet_adam_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
0.001,0.1404,NaN
0.002,0.124,NaN
0.004,0.115,0.115
0.008,0.1152,NaN
END
$m1 << END
0.001,0.1409,NaN
0.002,0.1256,NaN
0.004,0.1157,NaN
0.008,0.1133,0.1133
END
$m2 << END
0.001,0.1336,NaN
0.002,0.1183,NaN
0.004,0.1109,NaN
0.008,0.1098,0.1098
END
$m3 << END
0.001,0.1414,NaN
0.002,0.1285,NaN
0.004,0.1265,0.1265
0.008,0.1265,NaN
END
$m4 << END
0.001,0.136,NaN
0.002,0.1227,NaN
0.004,0.1106,0.1106
0.008,0.1108,NaN
END
$m5 << END
0.001,0.1367,NaN
0.002,0.1236,NaN
0.004,0.1123,0.1123
0.008,0.1154,NaN
END
$m6 << END
0.001,0.1196,0.1196
0.002,0.1196,NaN
0.004,0.1196,NaN
0.008,0.1196,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [0.10826999999999999:0.14193]
do for [kind in 'png'] {
  eval start(kind, 1300, 590)
  set multiplot layout 2,4 title 'Fashion-MNIST, LeNet, AdamW: share of errors on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.06779661016949153, 0.8220338983050848 spacing 0.046153846153846156, 0.12542372881355932
  set title 'GAL, epsilon 1, setting 0.05' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'label smoothing 0.3, setting 0.05' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, recommended, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'feature decay 0.003, setting 0.05' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'mixed features 0.3, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled, setting 0.05' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
