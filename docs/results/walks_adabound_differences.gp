# Draws walks_adabound_differences again: gnuplot walks_adabound_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'walks_adabound_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-23.59499034080959,0.24,-23.948972776250613,-23.241007905368573,7
14.837146088679654,-0.76,-2.9546561235489976,32.6289483009083,6
-11.506986974048667,-1.76,-14.673081007611609,-8.340892940485723,7
-12.665676861414273,-2.76,-13.791769178133144,-11.539584544695403,7
-13.407817292511908,-3.76,-15.073796984763485,-11.741837600260332,7
-18.541654457092566,-4.76,-22.040079539275073,-15.043229374910057,7
END
$equal_steps << END
-23.59499034080959,0,-23.948972776250613,-23.241007905368573,7
14.837146088679654,-1,-2.9546561235489976,32.6289483009083,6
-11.506986974048667,-2,-14.673081007611609,-8.340892940485723,7
-12.665676861414273,-3,-13.791769178133144,-11.539584544695403,7
-13.407817292511908,-4,-15.073796984763485,-11.741837600260332,7
-18.541654457092566,-5,-22.040079539275073,-15.043229374910057,7
END
$equal_time << END
7.88003614247215,-0.24,7.616199808417603,8.143872476526697,7
13.342747496165105,-2.24,10.882228944254068,15.803266048076143,7
11.95088774999825,-3.2399999999999998,11.070837751092133,12.830937748904363,7
11.352951782196124,-4.24,10.050711904604732,12.655191659787514,7
11.252492017119108,-5.24,8.63335776148171,13.871626272756506,7
END
set label '+36 % →' at graph 0.99, first -1.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title '3D problem, AdaBound' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mean height of the path: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-34.26039571595371:34.26039571595371]
set yrange [-5.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 422)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
