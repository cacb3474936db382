# Draws defaults_digits_adam_differences again: gnuplot defaults_digits_adam_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'defaults_digits_adam_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
1.333333333333333,0.24,-1.0141773973151242,3.68084406398179,6
12.22222222222222,-0.76,4.7719487340180216,19.67249571042642,7
210.2222222222222,-1.76,84.78847001316258,335.65597443128183,7
117.99999999999999,-2.76,99.43853755535767,136.5614624446423,7
237.77777777777777,-3.76,204.8510181011259,270.7045374544296,7
3.3333333333333326,-4.76,-0.5361036810267109,7.202770347693376,6
END
$equal_steps << END
1.333333333333333,0,-1.0141773973151242,3.68084406398179,6
12.22222222222222,-1,4.7719487340180216,19.67249571042642,7
210.2222222222222,-2,84.78847001316258,335.65597443128183,7
117.99999999999999,-3,99.43853755535767,136.5614624446423,7
237.77777777777777,-4,204.8510181011259,270.7045374544296,7
3.3333333333333326,-5,-0.5361036810267109,7.202770347693376,6
END
$equal_time << END
49.50819672131148,-0.24,37.96175010782176,61.0546433348012,7
60.317460317460316,-1.24,45.21169931440086,75.42322132051977,7
333.5403726708075,-2.24,157.57875725556218,509.5019880860528,7
208.49056603773582,-3.2399999999999998,180.9397974151464,236.04133466032525,7
37.16814159292035,-5.24,28.71211055140234,45.62417263443836,7
END
set label '+402 % →' at graph 0.99, first -4.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set title 'Digits, AdamW' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      test_error: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-352.43877315284595:352.43877315284595]
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
