# Draws images_fashion_lenet_adam_differences again: gnuplot images_fashion_lenet_adam_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'images_fashion_lenet_adam_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
1.9412988213542879,0.24,-2.597481341293037,6.480078984001613,6
4.298590247284491,-0.76,1.7412070608463766,6.855973433722605,6
-1.0399815114398008,-2.76,-2.079582897512752,-0.000380125366849712,6
2.4497342269470757,-3.76,0.4971593849476712,4.40230906894648,6
5.8238964640628605,-4.76,3.0350912935925884,8.612701634533133,7
END
$equal_steps << END
0.5546568061012216,0,-2.724073023728008,3.8333866359304514,6
2.77328403050613,-1,0.11796024302435755,5.428607817987902,6
-1.0399815114398008,-3,-2.079582897512752,-0.000380125366849712,6
2.4497342269470757,-4,0.4971593849476712,4.40230906894648,6
5.8238964640628605,-5,3.0350912935925884,8.612701634533133,7
END
set label '+31 % →' at graph 0.99, first -1.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+31 % →' at graph 0.99, first -2 right front noenhanced font ',9' textcolor rgb '#009E73'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title 'Fashion-MNIST, LeNet, AdamW' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      share of errors: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-9.04333671625979:9.04333671625979]
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
