# Draws networks_digits_sgd_differences again: gnuplot networks_digits_sgd_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_digits_sgd_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
24.015748031496063,0.24,10.892474965538572,37.13902109745355,7
6.6929133858267695,-0.76,-4.283060844828629,17.668887616482166,6
86.22047244094486,-1.76,14.807983910579352,157.63296097131038,6
50.39370078740157,-3.76,37.16599864487486,63.62140292992827,7
85.03937007874015,-4.76,64.3444095388647,105.7343306186156,7
-32.28346456692913,-6.76,-42.35085277456799,-22.216076359290273,7
-25.984251968503937,-7.76,-35.40617383050893,-16.562330106498937,7
-12.59842519685039,-8.76,-22.41417876122546,-2.7826716324753207,6
13.38582677165354,-9.76,1.9740600144331109,24.79759352887397,6
1.5748031496062957,-10.76,-6.409943254626437,9.559549553839028,6
-0.39370078740157544,-11.76,-8.80351883389005,8.016117259086899,6
11.811023622047243,-12.76,2.5112712313461922,21.110776012748293,6
5.511811023622047,-13.76,-6.330274734162744,17.353896781406835,6
END
$equal_steps << END
1.5748031496062924,-1,-7.7326318135662175,10.882238112778802,6
51.96850393700787,-2,39.635623757681266,64.30138411633448,7
-32.28346456692913,-7,-42.35085277456799,-22.216076359290273,7
-25.984251968503937,-8,-35.40617383050893,-16.562330106498937,7
-12.59842519685039,-9,-22.41417876122546,-2.7826716324753207,6
13.38582677165354,-10,1.9740600144331109,24.79759352887397,6
1.5748031496062957,-11,-6.409943254626437,9.559549553839028,6
-0.39370078740157544,-12,-8.80351883389005,8.016117259086899,6
11.811023622047243,-13,2.5112712313461922,21.110776012748293,6
5.511811023622047,-14,-6.330274734162744,17.353896781406835,6
END
$equal_time << END
33.47457627118644,-0.24,20.70494354377866,46.244208998594225,7
13.389121338912139,-1.24,4.1037314916837895,22.674511186140485,6
83.33333333333333,-2.24,17.607355100259266,149.0593115664074,6
52.8,-4.24,37.754726537015614,67.8452734629844,7
100,-5.24,77.77131927920826,122.22868072079174,7
-31.199999999999996,-7.24,-44.04997992965939,-18.350020070340594,7
-27.131782945736436,-8.24,-41.47580471343326,-12.787761178039608,7
-10.483870967741941,-9.24,-19.65572563628595,-1.312016299197934,6
19.50207468879667,-10.24,6.63438819033709,32.36976118725625,6
10.729613733905584,-11.24,-0.9917634276041626,22.450990895415334,6
5.416666666666669,-12.24,-3.8192052660645883,14.652538599397925,6
17.842323651452283,-13.24,8.140661349772122,27.543985953132445,7
5.928853754940712,-14.24,-5.513861884468089,17.371569394349518,6
END
set label '+348 % →' at graph 0.99, first -2.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+167 % →' at graph 0.99, first -5.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+2654 % →' at graph 0.99, first 0 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+1800 % →' at graph 0.99, first -3 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+2591 % →' at graph 0.99, first -4 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+3043 % →' at graph 0.99, first -5 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+3093 % →' at graph 0.99, first -6 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+357 % →' at graph 0.99, first -3.2399999999999998 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+187 % →' at graph 0.99, first -6.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -5.5 to graph 1, first -5.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -6.5 to graph 1, first -6.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -7.5 to graph 1, first -7.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -8.5 to graph 1, first -8.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -9.5 to graph 1, first -9.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -10.5 to graph 1, first -10.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -11.5 to graph 1, first -11.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -12.5 to graph 1, first -12.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -13.5 to graph 1, first -13.5 nohead linecolor rgb '#dddddd' back
set title 'Digits, SGD with momentum' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      test_error: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-111.02104714954639:111.02104714954639]
set yrange [-14.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, epsilon tuned' -1, 'GAL, paper' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6, 'label smoothing' -7, 'feature decay' -8, 'mixed features' -9, 'rescaled' -10, 'held-out samples mixed in' -11, 'rates of samples' -12, 'weights by a network' -13, 'alignment reward' -14) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 800)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
