# Draws walks_adam_differences again: gnuplot walks_adam_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'walks_adam_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-3.7152064161755094,0.24,-3.8369912374196895,-3.59342159493133,7
25.09662479656557,-0.76,6.028544992092984,44.16470460103816,6
0.09423990688056895,-1.76,-1.396926124398333,1.585405938159471,6
6.99364567595437,-2.76,-1.816056971966678,15.803348323875417,6
10.272829020710063,-3.76,-1.8422329484283806,22.387890989848508,6
-2.6052455256905493,-4.76,-3.3103487746181,-1.9001422767629985,7
END
$equal_steps << END
-3.7152064161755094,0,-3.8369912374196895,-3.59342159493133,7
25.09662479656557,-1,6.028544992092984,44.16470460103816,6
0.09423990688056895,-2,-1.396926124398333,1.585405938159471,6
6.99364567595437,-3,-1.816056971966678,15.803348323875417,6
10.272829020710063,-4,-1.8422329484283806,22.387890989848508,6
-2.6052455256905493,-5,-3.3103487746181,-1.9001422767629985,7
END
$equal_time << END
14.434606261895919,-0.24,14.334133375217485,14.535079148574352,7
37.961563362211066,-1.24,22.168498529802353,53.754628194619784,7
15.015863513261893,-2.24,13.747413551933573,16.284313474590217,7
20.21819939090803,-3.2399999999999998,12.66114648640436,27.7752522954117,7
23.21845732168409,-4.24,12.85132841879525,33.58558622457293,7
15.020090419063553,-5.24,14.436108479036081,15.604072359091024,7
END
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title '3D problem, Adam' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mean height of the path: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-46.37293983109007:46.37293983109007]
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
