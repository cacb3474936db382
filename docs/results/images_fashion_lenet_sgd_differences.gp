# Draws images_fashion_lenet_sgd_differences again: gnuplot images_fashion_lenet_sgd_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'images_fashion_lenet_sgd_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
4.636506864731032,0.24,-5.941445746507121,15.214459475969186,6
-1.1703803736214289,-0.76,-3.9555847098296306,1.6148239625867722,6
4.186360567184333,-1.76,0.8075462401318523,7.565174894236813,6
-2.723385100157554,-2.76,-6.648851988578323,1.2020817882632144,6
1.0578437992347502,-3.76,-4.188739025835887,6.304426624305388,6
13.52689624127841,-4.76,9.417949523849416,17.635842958707396,7
END
$equal_steps << END
4.636506864731032,0,-5.941445746507121,15.214459475969186,6
2.0256583389601572,-1,-1.3001539768728747,5.351470654793189,6
-2.723385100157554,-3,-6.648851988578323,1.2020817882632144,6
1.0578437992347502,-4,-4.188739025835887,6.304426624305388,6
14.157101057843798,-5,8.982841835462896,19.331360280224697,7
END
set label '+501 % →' at graph 0.99, first -2 right front noenhanced font ',9' textcolor rgb '#009E73'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title 'Fashion-MNIST, LeNet, SGD with momentum' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      share of errors: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-20.297928294235934:20.297928294235934]
set yrange [-5.5:0.5]
set ytics ('GAL, epsilon 1' 0, 'label smoothing 0.3' -1, 'GAL, recommended' -2, 'feature decay 0.003' -3, 'mixed features 0.3' -4, 'rescaled' -5) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 422)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle
}
unset output
