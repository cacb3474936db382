# Draws walks_rmsprop_differences again: gnuplot walks_rmsprop_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'walks_rmsprop_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-13.387176309524909,0.24,-13.802971217996044,-12.971381401053772,7
3.928985233721151,-0.76,-12.438357687151816,20.296328154594118,6
-8.270433990039592,-1.76,-10.41860187207083,-6.122266108008353,7
-9.186563860383403,-2.76,-11.027468378181771,-7.3456593425850345,7
-6.176998009215271,-3.76,-16.202219104645884,3.8482230862153406,6
-10.163379878367662,-4.76,-13.612632121723301,-6.714127635012022,7
END
$equal_steps << END
-13.387176309524909,0,-13.802971217996044,-12.971381401053772,7
3.928985233721151,-1,-12.438357687151816,20.296328154594118,6
-8.270433990039592,-2,-10.41860187207083,-6.122266108008353,7
-9.186563860383403,-3,-11.027468378181771,-7.3456593425850345,7
-6.176998009215271,-4,-16.202219104645884,3.8482230862153406,6
-10.163379878367662,-5,-13.612632121723301,-6.714127635012022,7
END
$equal_time << END
6.990915416951324,-0.24,6.649847713619301,7.331983120283348,7
21.008560492267133,-1.24,7.551015764736466,34.4661052197978,7
8.527086882660674,-2.24,6.712194609738045,10.341979155583301,7
7.240703873762993,-3.2399999999999998,5.676765956228212,8.804641791297772,7
9.982019305275827,-4.24,1.4825309419818347,18.481507668569815,6
9.365393867744835,-5.24,6.527594057385854,12.203193678103814,7
END
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title '3D problem, RMSProp' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mean height of the path: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-36.189410480787686:36.189410480787686]
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
