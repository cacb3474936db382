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
-2.62883,-3.43244,-1.82523,0
-0.609029,-1.1414,-0.0766597,-1
4.0455,2.27028,5.82073,-2
2.09689,1.42764,2.76614,-3
2.60181,1.62943,3.5742,-4
3.45979,-0.375238,7.29481,-5
END
$p1 << END
-0.705794,-0.850149,-0.561438,0
1.50324,1.17339,1.83309,-1
3.97431,2.44381,5.50485,-2
0.38632,0.215668,0.556972,-3
0.497407,0.34414,0.650671,-4
6.19706,3.00643,9.38771,-5
END
$p2 << END
-0.476803,-0.879833,-0.0737752,0
1.74918,0.413303,3.08505,-1
4.97692,2.40338,7.55046,-2
1.78854,0.615164,2.96192,-3
2.34222,0.898157,3.78629,-4
-0.195874,-0.622335,0.230586,-5
END
$p3 << END
-0.419465,-1.43532,0.596392,0
0.741546,-0.47446,1.95756,-1
2.90756,1.19339,4.62174,-2
0.706858,-0.497687,1.9114,-3
0.0287039,-1.53734,1.59475,-4
0.0717709,-1.0681,1.21164,-5
END
$p4 << END
-9.84308,-15.8882,-3.79794,0
END
$p5 << END
-2.23881,-5.08999,0.612373,0
21.2687,14.0643,28.4732,-1
-0.124378,-3.22677,2.97801,-5
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'

set yrange [-5.6:0.6]
set xlabel 'change against vanilla in percent'
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linewidth 2 linecolor rgb vanilla
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title 'Change of the test error against vanilla, 95 % interval; left of the line is better. → stands for changes beyond 50 %' font ',17' textcolor rgb ink margins 0.12, 0.98, 0.09, 0.88 spacing 0.13, 0.16
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'Boston housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p0 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'Diabetes: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p1 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'California housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p2 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'California housing, 100 epochs: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p3 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label '+284 % →' at graph 0.98, first -1 right front boxed font ',10'
  set label '+104 % →' at graph 0.98, first -2 right front boxed font ',10'
  set label '+103 % →' at graph 0.98, first -3 right front boxed font ',10'
  set label '+80 % →' at graph 0.98, first -4 right front boxed font ',10'
  set label '+1538 % →' at graph 0.98, first -5 right front boxed font ',10'
  set xrange [*<-1:10<*]  # zero is always seen, beside the numbers
  set title 'Digits, SGD with momentum: error'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p4 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label '+278 % →' at graph 0.98, first -2 right front boxed font ',10'
  set label '+189 % →' at graph 0.98, first -3 right front boxed font ',10'
  set label '+381 % →' at graph 0.98, first -4 right front boxed font ',10'
  set xrange [*<-1:10<*]  # zero is always seen, beside the numbers
  set title 'Digits, Adam: error'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p5 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset multiplot
}
unset output
