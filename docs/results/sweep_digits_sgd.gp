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
0,1.3985990219587257,-4.84734626059702,7.644550598216363
1,-4.895115457961218,-11.275009597895385,1.484810150482412
2,-12.587403785032317,-20.2885347632624,-4.886272806802233
END
$p1 << END
0,-12.937050393671052,-21.51602691186929,-4.358105343982277
1,-12.587403785032317,-20.2885347632624,-4.886272806802233
2,-16.08390133992913,-24.315780198755103,-7.852053949612621
3,-5.944055283877423,-16.032985291618676,4.144874723863829
END
$p2 << END
1,-12.587403785032317,-20.2885347632624,-4.886272806802233
2,26.223747395980837,-47.38811371460579,99.83541969551068
3,-19.93004550346468,-29.019535650674367,-10.840586824764456
4,-13.286697002309786,-22.03645312136145,-4.536940883258123
END
$p3 << END
0,-0.6992995109793628,-2.796276016590198,1.3976738477805257
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
