# Draws effects again: gnuplot effects.gp
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
  terminal_of(kind), width, height, font_of(kind), 'effects.' . kind . suffix)
$p0 << END
0.0579904,-0.82885,0.944831,0
-1.06636,-1.89253,-0.240191,-1
-2.07975,-2.86293,-1.29658,-2
4.6746,1.42972,7.9195,-3
1.89433,0.937581,2.85107,-4
1.64711,0.690387,2.60384,-5
3.99769,-2.89811,10.8935,-6
END
$p1 << END
0.010254,-0.0504257,0.0709335,0
1.21015,0.591045,1.82926,-1
-0.570766,-0.747117,-0.394414,-2
6.12421,2.42018,9.82826,-3
0.466544,0.230897,0.702188,-4
0.484461,0.268578,0.700347,-5
5.26693,0.853413,9.68042,-6
END
$p2 << END
-0.49949,-1.87707,0.878094,0
0.913279,-1.38434,3.2109,-1
4.16077,-4.53141,12.853,-2
1.56242,-2.73452,5.85936,-3
0.665007,-3.34523,4.67523,-4
-0.555653,-2.02186,0.910554,-5
END
$p3 << END
-14.6853,-25.1917,-4.17896,0
346.154,-6.05171,698.359,-1
26.2237,-47.3881,99.8354,-2
152.447,44.0062,260.889,-3
73.4264,35.2369,111.616,-4
81.1189,50.8163,111.421,-5
2269.93,1852,2687.85,-6
END
$p4 << END
4.6154,-0.228773,9.45956,0
18.4616,6.49507,30.428,-1
16.9231,1.62946,32.2167,-2
850.769,482.935,1218.6,-3
186.769,159.394,214.144,-4
370.77,279.881,461.659,-5
973.54,416.204,1530.87,-6
END

set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'

set yrange [-6.6:0.6]
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linewidth 2 linecolor rgb vanilla
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title 'Change of the test error against vanilla in percent, 95 % interval; left of the line is better' font ',17' \
    textcolor rgb ink margins 0.12, 0.98, 0.06, 0.88 spacing 0.13, 0.12
  set title 'Boston housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'narrow' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6)
  plot $p0 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'Diabetes: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'narrow' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6)
  plot $p1 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'California housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p2 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'Digits, SGD with momentum: error'
  set ytics ('recommended' 0, 'paper' -1, 'narrow' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6)
  plot $p3 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'Digits, Adam: error'
  set ytics ('recommended' 0, 'paper' -1, 'narrow' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6)
  plot $p4 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset multiplot
}
unset output
