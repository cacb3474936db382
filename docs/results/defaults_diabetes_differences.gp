# Draws defaults_diabetes_differences again: gnuplot defaults_diabetes_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'defaults_diabetes_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
0.024930644026045702,0.24,-0.3147706521733281,0.3646319402254195,6
-0.02193146125707191,-0.76,-1.0894847732798827,1.0456218507657389,6
0.19954021218709114,-2.76,-0.14293172997434908,0.5420121543485313,6
0.3630267086739072,-3.76,-0.1499749054900946,0.8760283228379089,6
END
$equal_steps << END
0.024930644026045702,0,-0.3147706521733281,0.3646319402254195,6
-0.02193146125707191,-1,-1.0894847732798827,1.0456218507657389,6
0.19954021218709114,-3,-0.14293172997434908,0.5420121543485313,6
0.3630267086739072,-4,-0.1499749054900946,0.8760283228379089,6
END
$equal_time << END
3.177738446544933,-0.24,2.10794633770994,4.247530555379927,7
3.141238934205064,-1.24,1.9599480062673698,4.322529862142758,7
-0.31266411853758713,-3.2399999999999998,-0.6393993399624371,0.014071102887262887,6
0.9078415680514307,-4.24,0.26766362273635674,1.5480195133665047,6
END
set label '+5.2 % →' at graph 0.99, first -1.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+9.0 % →' at graph 0.99, first -4.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+5.2 % →' at graph 0.99, first -2 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+9.0 % →' at graph 0.99, first -5 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+5.0 % →' at graph 0.99, first -2.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+9.6 % →' at graph 0.99, first -5.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title 'Diabetes' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mse: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-4.538656355249897:4.538656355249897]
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
