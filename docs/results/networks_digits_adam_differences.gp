# Draws networks_digits_adam_differences again: gnuplot networks_digits_adam_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_digits_adam_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
32.69230769230769,0.24,13.718556994853722,51.666058389761666,7
-3.076923076923078,-0.76,-8.846566584234637,2.6927204303884817,6
40.384615384615394,-1.76,24.71928818895646,56.04994258027433,7
73.46153846153845,-3.76,51.65735235838178,95.26572456469513,7
55.38461538461539,-4.76,40.72130007759657,70.0479306916342,7
-27.30769230769231,-6.76,-40.07480190044146,-14.540582714943165,7
-24.999999999999993,-7.76,-36.73129188739392,-13.26870811260607,7
-23.846153846153847,-8.76,-33.954846109862245,-13.737461582445448,7
0,-9.76,-8.176211305134887,8.176211305134887,6
-5.76923076923077,-10.76,-14.262585380776928,2.7241238423153855,6
6.00481203222741e-15,-11.76,-7.104850252382163,7.1048502523821755,6
3.0769230769230824,-12.76,-6.00070815560581,12.154554309451974,6
-7.307692307692306,-13.76,-18.839587554844574,4.22420293945996,6
END
$equal_steps << END
32.69230769230769,0,13.718556994853722,51.666058389761666,7
-3.076923076923078,-1,-8.846566584234637,2.6927204303884817,6
17.692307692307686,-2,3.47780742368251,31.906807960932866,6
73.46153846153845,-4,51.65735235838178,95.26572456469513,7
108.46153846153847,-5,93.46246629812909,123.46061062494782,7
-27.30769230769231,-7,-40.07480190044146,-14.540582714943165,7
-24.999999999999993,-8,-36.73129188739392,-13.26870811260607,7
-23.846153846153847,-9,-33.954846109862245,-13.737461582445448,7
0,-10,-8.176211305134887,8.176211305134887,6
-5.76923076923077,-11,-14.262585380776928,2.7241238423153855,6
6.00481203222741e-15,-12,-7.104850252382163,7.1048502523821755,6
3.0769230769230824,-13,-6.00070815560581,12.154554309451974,6
-7.307692307692306,-14,-18.839587554844574,4.22420293945996,6
END
$equal_time << END
40.81632653061224,-0.24,19.56260453487143,62.07004852635305,7
0.39840637450199273,-1.24,-5.587294963245381,6.384107712249367,6
44.26877470355731,-2.24,27.749275364228218,60.788274042886414,7
80.4,-4.24,56.98726218426647,103.81273781573354,7
60.31746031746031,-5.24,45.936699317305795,74.69822131761484,7
-23.17073170731707,-7.24,-34.63733510679666,-11.704128307837482,7
-24.710424710424707,-8.24,-37.0416210906273,-12.379228330222125,7
-18.18181818181818,-9.24,-28.42297846672793,-7.9406578969084345,7
3.9999999999999996,-10.24,-4.011835699845875,12.011835699845875,6
0.40983606557377117,-11.24,-7.00324570178221,7.822917832929751,6
4.4176706827309316,-12.24,-2.0905149833578904,10.925856348819755,6
6.77290836653387,-13.24,-3.0023249844501136,16.54814171751785,6
-5.859375000000007,-14.24,-14.884078688427435,3.1653286884274197,6
END
set label '+267 % →' at graph 0.99, first -2.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+166 % →' at graph 0.99, first -5.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+267 % →' at graph 0.99, first -3 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+2914 % →' at graph 0.99, first -6 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+280 % →' at graph 0.99, first -3.2399999999999998 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+175 % →' at graph 0.99, first -6.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
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
set title 'Digits, AdamW' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      test_error: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-109.00337470652022:109.00337470652022]
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
