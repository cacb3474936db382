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
0,-1.1594826492309183,-1.601459490262759,-0.7175173438476925
1,-1.3813247077443422,-2.0780663484365736,-0.6845772992278036
2,-1.5609001497327188,-2.9832686952489276,-0.1385304506516488
3,-2.0156700250785002,-3.479866832472389,-0.5514801390737797
END
$p1 << END
0,-1.7039191212604312,-3.1433488910780985,-0.26449396570220957
1,-1.5609001497327188,-2.9832686952489276,-0.1385304506516488
2,-1.6571305304783372,-2.956863595569388,-0.35739285112784036
3,-1.8263354243619054,-3.147755508848996,-0.504919954134261
END
$p2 << END
0,4.16113916837202,-2.7269465830255237,11.049224919769564
1,-1.5609001497327188,-2.9832686952489276,-0.1385304506516488
2,-2.079750553134351,-2.862928808898138,-1.296583833019179
3,-0.37377231859615767,-1.2137694116127067,0.4662178530312223
4,-0.8508256063713694,-1.6898571655988501,-0.011790817162276583
END
$p3 << END
0,-0.3075923024923922,-0.8136462108854995,0.19846160590071496
1,-1.0663565115275735,-1.892526976114286,-0.2401906612003073
2,2.6471314302589293,0.4317700991373642,4.862506604158832
END
$p4 << END
0,-0.4344198376242101,-1.5665410819054122,0.6976956388326846
1,-1.0663565115275735,-1.892526976114286,-0.2401906612003073
2,-1.131200699521732,-2.08805622013709,-0.1743417182117899
3,-1.513580919114339,-2.3974423159891014,-0.6297206758044385
END
$p5 << END
0,-0.06401673591901051,-1.2600735051529741,1.1320451090003436
1,-0.06602670733367325,-1.4143397340802282,1.2822911643852999
2,-1.0663565115275735,-1.892526976114286,-0.2401906612003073
3,-1.513188707061432,-2.3418289540165973,-0.6845634564494658
4,-1.5637263836433732,-2.343766942983903,-0.7836742886542281
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
