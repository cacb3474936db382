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
0,-0.6993,-2.79628,1.39767,0.01
1,346.154,-6.05171,698.359,0.1
2,2182.16,1755.09,2609.24,0.3
3,2743.01,2728.73,2757.29,1
END
$p4 << END
0,349.3,-20.8001,719.402,0.1
1,346.154,-6.05171,698.359,1
2,304.895,-27.336,637.127,10
3,363.285,4.74202,721.831,100
END
$p5 << END
0,503.845,66.8951,940.795,none
1,275.524,-83.7487,634.799,16
2,622.378,137.998,1106.76,16-4
3,346.154,-6.05171,698.359,64-24
4,603.147,120.718,1085.58,64-32-16
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
