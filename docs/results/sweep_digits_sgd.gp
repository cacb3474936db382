# Draws sweep_digits_sgd again: gnuplot sweep_digits_sgd.gp
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
  terminal_of(kind), width, height, font_of(kind), 'sweep_digits_sgd.' . kind . suffix)
$p0 << END
0,-2.15827,-11.57,7.25348,0.3
1,-2.15827,-16.7247,12.4082,1
2,-12.2302,-28.6935,4.23307,3
3,156.115,31.8626,280.367,10
END
$p1 << END
0,-16.5468,-32.4647,-0.62877,0.1
1,-12.2302,-28.6935,4.23307,1
2,-17.9856,-32.7924,-3.17869,10
3,-10.0719,-25.6441,5.50026,100
END
$p2 << END
0,2538.85,2019.37,3058.32,none
1,22.3022,-20.0289,64.6333,16
2,-0.719423,-15.9573,14.5185,16-4
3,-12.2302,-28.6935,4.23307,64-24
4,-14.3885,-26.0235,-2.75351,64-32-16
END
$p3 << END
0,0.719423,-2.20194,3.64079,0.01
1,601.439,-132.753,1335.63,0.1
2,2141.73,1402.54,2880.91,0.3
3,2831.65,2810.76,2852.55,1
END
$p4 << END
0,623.742,-156.323,1403.81,0.1
1,601.439,-132.753,1335.63,1
2,538.129,-166.117,1242.38,10
3,638.848,-104.317,1382.01,100
END
$p5 << END
0,529.498,-146.923,1205.92,none
1,28.0576,3.9857,52.1294,16
2,999.281,135.884,1862.68,16-4
3,601.439,-132.753,1335.63,64-24
4,764.029,-90.8362,1618.89,64-32-16
END

set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Digits, SGD with momentum: change of the test error against vanilla, 95 % interval, 10 seeds'
set format y '%g %%'
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.06, 0.88 spacing 0.07, 0.14
  set title 'recommended: epsilon'
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p0 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'recommended: tau'
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p1 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'recommended: hidden'
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p2 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'paper: epsilon'
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p3 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'paper: tau'
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p4 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  set title 'paper: hidden'
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p5 using 1:2:3:4:xticlabels(5) with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset multiplot
}
unset output
