# Draws walks_gd_differences again: gnuplot walks_gd_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'walks_gd_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-5.606017390282887,0.24,-6.355171848969594,-4.856862931596182,7
0.33855219222364713,-0.76,-1.7616941401412487,2.4387985245885426,6
-2.931079405811476,-1.76,-4.107637634354763,-1.7545211772681897,7
-3.4690451142149654,-2.76,-4.509918943209215,-2.4281712852207176,7
-4.41145428309176,-3.76,-5.05699566667473,-3.7659128995087894,7
-4.263145823572759,-4.76,-5.249370341296456,-3.2769213058490627,7
END
$equal_steps << END
-5.606017390282887,0,-6.355171848969594,-4.856862931596182,7
0.33855219222364713,-1,-1.7616941401412487,2.4387985245885426,6
-2.931079405811476,-2,-4.107637634354763,-1.7545211772681897,7
-3.4690451142149654,-3,-4.509918943209215,-2.4281712852207176,7
-4.41145428309176,-4,-5.05699566667473,-3.7659128995087894,7
-4.263145823572759,-5,-5.249370341296456,-3.2769213058490627,7
END
$equal_time << END
5.89653856917492,-0.24,5.228981649115914,6.564095489233925,7
10.880690079367104,-1.24,9.00260674904351,12.758773409690699,7
6.5884998103065175,-2.24,5.520755550524165,7.656244070088869,7
5.807458738682162,-3.2399999999999998,4.85990431815821,6.755013159206113,7
5.131301249081467,-4.24,4.544759557167677,5.717842940995257,7
6.9040319818215465,-5.24,6.0234377369854135,7.784626226657681,7
END
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title '3D problem, gradient descent' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mean height of the path: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-13.396712080175234:13.396712080175234]
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
