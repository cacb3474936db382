# Draws walks_lookahead_differences again: gnuplot walks_lookahead_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'walks_lookahead_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-22.485182082189194,0.24,-22.73548837976345,-22.234875784614935,7
1.694283231482122,-0.76,-0.9595201518239291,4.348086614788173,6
-5.105099992318303,-1.76,-9.561468027656977,-0.6487319569796295,6
-10.266425891629742,-2.76,-11.308099929049543,-9.22475185420994,7
-12.33043867040997,-3.76,-13.464603975982676,-11.196273364837264,7
-20.56940407161668,-4.76,-21.279562940891125,-19.859245202342244,7
END
$equal_steps << END
-22.485182082189194,0,-22.73548837976345,-22.234875784614935,7
1.694283231482122,-1,-0.9595201518239291,4.348086614788173,6
-5.105099992318303,-2,-9.561468027656977,-0.6487319569796295,6
-10.266425891629742,-3,-11.308099929049543,-9.22475185420994,7
-12.33043867040997,-4,-13.464603975982676,-11.196273364837264,7
-20.56940407161668,-5,-21.279562940891125,-19.859245202342244,7
END
$equal_time << END
5.71581074042651,-0.24,5.523134974001813,5.908486506851205,7
23.95309264406695,-1.24,21.90017500443109,26.006010283702807,7
16.485570900917974,-2.24,12.944629192533629,20.02651260930232,7
11.771270111151933,-3.2399999999999998,10.937783612096792,12.604756610207072,7
10.385111535452014,-4.24,9.48029803554683,11.289925035357195,7
6.8361320218218005,-5.24,6.287392914665583,7.38487112897802,7
END
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title '3D problem, Lookahead' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mean height of the path: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-27.30631079788795:27.30631079788795]
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
