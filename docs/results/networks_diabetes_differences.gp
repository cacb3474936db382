# Draws networks_diabetes_differences again: gnuplot networks_diabetes_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_diabetes_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
0.7334030407358167,0.24,0.057692845555973996,1.4091132359156595,6
0.2326899973169018,-0.76,-0.1198758883213589,0.5852558829551625,6
4.649210398720486,-1.76,2.2943358488155345,7.0040849486254375,7
2.6443008114345017,-2.76,0.031648172448713714,5.25695345042029,6
-0.3816037608577017,-3.76,-0.8836323030572116,0.12042478134180822,6
-0.469471315393733,-4.76,-0.9945994237367769,0.05565679294931093,6
4.7394423021980465,-5.76,1.1942798292825723,8.284604775113523,6
-0.9473233817145554,-6.76,-1.3267050178038835,-0.5679417456252275,7
5.620816834630313,-8.76,2.9371203653913662,8.30451330386926,7
-0.11526620607489561,-11.76,-0.7620973302232468,0.5315649180734555,6
END
$equal_steps << END
0.7334030407358167,0,0.057692845555973996,1.4091132359156595,6
0.2326899973169018,-1,-0.1198758883213589,0.5852558829551625,6
0.5219968653280742,-2,-0.5483628082727686,1.5923565389289172,6
2.6443008114345017,-3,0.031648172448713714,5.25695345042029,6
-0.3816037608577017,-4,-0.8836323030572116,0.12042478134180822,6
-0.469471315393733,-5,-0.9945994237367769,0.05565679294931093,6
4.7394423021980465,-6,1.1942798292825723,8.284604775113523,6
-0.9473233817145554,-7,-1.3267050178038835,-0.5679417456252275,7
5.620816834630313,-9,2.9371203653913662,8.30451330386926,7
-0.11526620607489561,-12,-0.7620973302232468,0.5315649180734555,6
END
$equal_time << END
-0.6743941326493721,-0.24,-1.2837858847588057,-0.06500238053993844,6
-1.1681094733607038,-1.24,-1.6417625065348869,-0.694456440186521,7
3.0419639738637585,-2.24,1.0454816793568673,5.038446268370651,6
1.7681987276949627,-3.2399999999999998,-0.8493528989508696,4.385750354340795,6
-0.8160257950124358,-4.24,-1.3728649265648512,-0.25918666346002045,6
-1.1523581785220578,-5.24,-1.6473400379345238,-0.657376319109592,7
4.952816147164408,-6.24,1.390647102769117,8.514985191559699,6
-0.35549878611264524,-7.24,-0.654564502070542,-0.056433070154748445,6
1.3952342238583328,-9.24,-1.7120296481120707,4.502498095828736,6
-2.765566080864749,-12.24,-4.068787540470122,-1.4623446212593747,7
END
set label '+22 % →' at graph 0.99, first -7.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+29 % →' at graph 0.99, first -9.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+30 % →' at graph 0.99, first -10.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+22 % →' at graph 0.99, first -8 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+21 % →' at graph 0.99, first -10 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+97 % →' at graph 0.99, first -11 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+20 % →' at graph 0.99, first -8.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+22 % →' at graph 0.99, first -10.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+19 % →' at graph 0.99, first -11.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
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
set title 'Diabetes' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mse: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-8.940734451137685:8.940734451137685]
set yrange [-12.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, epsilon tuned' -1, 'GAL, paper' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6, 'weight decay' -7, 'rescaled' -8, 'held-out samples mixed in' -9, 'rates of samples' -10, 'weights by a network' -11, 'alignment reward' -12) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 716)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
