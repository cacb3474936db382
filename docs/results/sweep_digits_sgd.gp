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
0,1.3986,-4.84735,7.64455
1,-4.89512,-11.275,1.48481
2,-12.5874,-20.2885,-4.88627
END
$p1 << END
0,-12.9371,-21.516,-4.35811
1,-12.5874,-20.2885,-4.88627
2,-16.0839,-24.3158,-7.85205
3,-5.94406,-16.033,4.14487
END
$p2 << END
1,-12.5874,-20.2885,-4.88627
2,26.2237,-47.3881,99.8354
3,-19.93,-29.0195,-10.8406
4,-13.2867,-22.0365,-4.53694
END
$p3 << END
0,-0.6993,-2.79628,1.39767
END
$p4 << END
END
$p5 << END
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Digits, SGD with momentum: change of the test error against vanilla, 95 % interval; below 0 is better. ↑: beyond 50 %'
set format y '%g %%'
set yrange [*<-1:1<*]  # zero is always seen
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.06, 0.88 spacing 0.07, 0.14
  unset label
  set label "↑\n+360 %" at first 3, graph 0.94 center front boxed font ',10'
  set title 'recommended: epsilon'
  set xtics ('0.3' 0, '1' 1, '3' 2, '10' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p0 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set title 'recommended: tau'
  set xtics ('0.1' 0, '1' 1, '10' 2, '100' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p1 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label "↑\n+1833 %" at first 0, graph 0.94 center front boxed font ',10'
  set title 'recommended: hidden'
  set xtics ('none' 0, '16' 1, '16-4' 2, '64-24' 3, '64-32-16' 4)
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p2 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label "↑\n+346 %" at first 1, graph 0.94 center front boxed font ',10'
  set label "↑\n+2182 %" at first 2, graph 0.94 center front boxed font ',10'
  set label "↑\n+2743 %" at first 3, graph 0.94 center front boxed font ',10'
  set title 'paper: epsilon'
  set xtics ('0.01' 0, '0.1' 1, '0.3' 2, '1' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p3 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label "↑\n+349 %" at first 0, graph 0.94 center front boxed font ',10'
  set label "↑\n+346 %" at first 1, graph 0.94 center front boxed font ',10'
  set label "↑\n+305 %" at first 2, graph 0.94 center front boxed font ',10'
  set label "↑\n+363 %" at first 3, graph 0.94 center front boxed font ',10'
  set title 'paper: tau'
  set xtics ('0.1' 0, '1' 1, '10' 2, '100' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla
  unset label
  set label "↑\n+504 %" at first 0, graph 0.94 center front boxed font ',10'
  set label "↑\n+276 %" at first 1, graph 0.94 center front boxed font ',10'
  set label "↑\n+622 %" at first 2, graph 0.94 center front boxed font ',10'
  set label "↑\n+346 %" at first 3, graph 0.94 center front boxed font ',10'
  set label "↑\n+603 %" at first 4, graph 0.94 center front boxed font ',10'
  set title 'paper: hidden'
  set xtics ('none' 0, '16' 1, '16-4' 2, '64-24' 3, '64-32-16' 4)
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla
  unset multiplot
}
unset output
