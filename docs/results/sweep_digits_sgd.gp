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
0,1.3986,-4.84735,7.64455,0.3
1,-4.89512,-11.275,1.48481,1
2,-12.5874,-20.2885,-4.88627,3
3,360.138,143.309,576.972,10
END
$p1 << END
0,-12.9371,-21.516,-4.35811,0.1
1,-12.5874,-20.2885,-4.88627,1
2,-16.0839,-24.3158,-7.85205,10
3,-5.94406,-16.033,4.14487,100
END
$p2 << END
0,1832.86,1239.99,2425.75,none
1,-12.5874,-20.2885,-4.88627,16
2,26.2237,-47.3881,99.8354,16-4
3,-19.93,-29.0195,-10.8406,64-24
4,-13.2867,-22.0365,-4.53694,64-32-16
END
$p3 << END
0,0.34965,-1.62977,2.32907,0.01
1,278.321,-71.0959,627.74,0.1
2,2120.28,1651.3,2589.26,0.3
3,2730.42,2709.04,2751.8,1
END
$p4 << END
0,226.224,-46.456,498.905,0.1
1,278.321,-71.0959,627.74,1
2,240.21,-71.8955,552.316,10
3,265.384,-63.5588,594.327,100
END
$p5 << END
0,509.091,86.3021,931.88,none
1,336.713,-3.81364,677.24,16
2,611.537,129.277,1093.8,16-4
3,278.321,-71.0959,627.74,64-24
4,534.965,46.7279,1023.2,64-32-16
END

set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Digits, SGD with momentum: change of the test error against vanilla, 95 % interval, 20 seeds'
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
