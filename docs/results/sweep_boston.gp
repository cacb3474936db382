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
0,0.158754,-0.53882,0.85633,0.3
1,-0.250381,-1.15088,0.65012,1
2,-0.208663,-1.62812,1.21079,3
3,-0.345977,-1.20634,0.51438,10
END
$p1 << END
0,-0.442973,-1.6046,0.718656,0.1
1,-0.208663,-1.62812,1.21079,1
2,0.29629,-1.18411,1.77668,10
3,-0.0184404,-0.364686,0.327804,100
END
$p2 << END
0,1.58896,-4.83838,8.01631,none
1,-1.82026,-3.92129,0.280765,16
2,-2.82741,-4.78724,-0.867584,16-4
3,-0.208663,-1.62812,1.21079,64-24
4,-0.191672,-0.694255,0.310911,64-32-16
END
$p3 << END
0,0.123994,-0.417687,0.665675,0.01
1,-0.782823,-1.71342,0.147778,0.1
2,2.10978,-1.40542,5.62499,0.3
3,25748.6,8678.92,42818.3,1
END
$p4 << END
0,-0.192043,-1.82504,1.44095,0.1
1,-0.782823,-1.71342,0.147778,1
2,-0.614575,-2.01499,0.785839,10
3,-0.931585,-2.06952,0.206354,100
END
$p5 << END
0,-0.0552257,-1.66723,1.55677,none
1,-0.131211,-1.98493,1.72251,16
2,-0.782823,-1.71342,0.147778,16-4
3,-1.39984,-2.51282,-0.286859,64-24
4,-1.0638,-2.3136,0.186001,64-32-16
END

set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Boston housing: change of the test MSE against vanilla, 95 % interval, 10 seeds'
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
