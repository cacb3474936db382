# Draws sweep_boston again: gnuplot sweep_boston.gp
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
  terminal_of(kind), width, height, font_of(kind), 'sweep_boston.' . kind . suffix)
$p0 << END
0,-1.15948,-1.60146,-0.717517
1,-1.38132,-2.07807,-0.684577
2,-1.5609,-2.98327,-0.13853
3,-2.01567,-3.47987,-0.55148
END
$p1 << END
0,-1.70392,-3.14335,-0.264494
1,-1.5609,-2.98327,-0.13853
2,-1.65713,-2.95686,-0.357393
3,-1.82634,-3.14776,-0.50492
END
$p2 << END
0,4.16114,-2.72695,11.0492
1,-1.5609,-2.98327,-0.13853
2,-2.07975,-2.86293,-1.29658
3,-0.373772,-1.21377,0.466218
4,-0.850826,-1.68986,-0.0117908
END
$p3 << END
0,-0.307592,-0.813646,0.198462
1,-1.06636,-1.89253,-0.240191
2,2.64713,0.43177,4.86251
END
$p4 << END
0,-0.43442,-1.56654,0.697696
1,-1.06636,-1.89253,-0.240191
2,-1.1312,-2.08806,-0.174342
3,-1.51358,-2.39744,-0.629721
END
$p5 << END
0,-0.0640167,-1.26007,1.13205
1,-0.0660267,-1.41434,1.28229
2,-1.06636,-1.89253,-0.240191
3,-1.51319,-2.34183,-0.684563
4,-1.56373,-2.34377,-0.783674
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Boston housing: change of the test MSE against vanilla, 95 % interval; below 0 is better. ↑: beyond 50 %'
set format y '%g %%'
set yrange [*<-1:1<*]  # zero is always seen
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.06, 0.88 spacing 0.07, 0.14
  unset label
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
  set title 'recommended: hidden'
  set xtics ('none' 0, '16' 1, '16-4' 2, '64-24' 3, '64-32-16' 4)
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p2 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label "↑\n+22719 %" at first 3, graph 0.94 center front boxed font ',10'
  set title 'paper: epsilon'
  set xtics ('0.01' 0, '0.1' 1, '0.3' 2, '1' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p3 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set title 'paper: tau'
  set xtics ('0.1' 0, '1' 1, '10' 2, '100' 3)
  set xrange [-0.5:4-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p4 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set title 'paper: hidden'
  set xtics ('none' 0, '16' 1, '16-4' 2, '64-24' 3, '64-32-16' 4)
  set xrange [-0.5:5-0.5]
  plot 0 linewidth 2 linecolor rgb vanilla, $p5 using 1:2:3:4 with yerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset multiplot
}
unset output
