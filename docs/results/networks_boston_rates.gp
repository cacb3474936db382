# Draws networks_boston_rates again: gnuplot networks_boston_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_boston_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
0.001,19.062526144057845,NaN
0.003,16.239085722139098,NaN
0.01,16.371223692530133,NaN
0.03,15.558556972399662,NaN
0.1,13.759420312883284,13.759420312883284
0.3,68.25636592332052,NaN
END
$m1 << END
0.001,18.83039517568079,NaN
0.003,15.942322768558402,NaN
0.01,16.91609803141815,NaN
0.03,15.000371517303801,NaN
0.1,14.364886317546961,14.364886317546961
0.3,68.38047196883544,NaN
END
$m2 << END
0.001,18.75348410928782,NaN
0.003,15.791093139839532,NaN
0.01,16.04108063478977,NaN
0.03,15.000371517303801,NaN
0.1,14.09688050487036,14.09688050487036
0.3,56.588834937717046,NaN
END
$m3 << END
0.001,19.189238319309037,NaN
0.003,16.010957041408137,NaN
0.01,16.655342573323352,NaN
0.03,15.258632080749676,NaN
0.1,15.170868629512015,15.170868629512015
0.3,66.9662931775536,NaN
END
$m4 << END
0.001,20.008257514985896,NaN
0.003,17.265904490052932,NaN
0.01,16.55280747354101,NaN
0.03,14.636178142543065,14.636178142543065
0.1,15.016395722105855,NaN
0.3,71.99944474500805,NaN
END
$m5 << END
0.001,19.33400960692475,NaN
0.003,16.37009376285307,NaN
0.01,16.322841729942482,NaN
0.03,14.665005426533655,NaN
0.1,14.27009306674085,14.27009306674085
0.3,77.21615168781304,NaN
END
$m6 << END
0.001,19.544510160072498,NaN
0.003,16.460564369362192,NaN
0.01,16.468987409043326,NaN
0.03,15.069856203022216,NaN
0.1,14.739874917294323,14.739874917294323
0.3,58.78907784786035,NaN
END
$m7 << END
0.001,19.45895141813069,NaN
0.003,16.98414879105411,NaN
0.01,15.97350451149033,NaN
0.03,15.364762762151477,15.364762762151477
0.1,26.632450196841777,NaN
0.3,93.2138318308062,NaN
END
$m8 << END
0.001,19.062526144057845,NaN
0.003,16.100410520259466,NaN
0.01,15.636606791367875,NaN
0.03,14.936695577461311,NaN
0.1,13.618485148752619,13.618485148752619
0.3,68.25636592332052,NaN
END
$m9 << END
0.001,14.964485687247501,14.964485687247501
0.003,14.965246279929291,NaN
0.01,14.96649109748445,NaN
0.03,14.967005962590799,NaN
0.1,14.966859030008939,NaN
0.3,14.965002285280688,NaN
END
$m10 << END
0.001,19.994329588600404,NaN
0.003,17.17361996726306,NaN
0.01,16.17046607846911,NaN
0.03,17.77814445105192,NaN
0.1,13.353813651156763,13.353813651156763
0.3,71.63361894896696,NaN
END
$m11 << END
0.001,23.749640099064433,NaN
0.003,19.028495550504694,NaN
0.01,17.387521556929883,NaN
0.03,16.66438631713827,NaN
0.1,13.74820268521462,13.74820268521462
0.3,74.73146575057339,NaN
END
$m12 << END
0.001,20.08456462049032,NaN
0.003,17.71615942485859,NaN
0.01,17.828321332356808,NaN
0.03,17.336136526581072,17.336136526581072
0.1,34.1063702363716,NaN
0.3,81.7047928737995,NaN
END
$m13 << END
0.001,18.879426365413217,NaN
0.003,16.619458436398702,NaN
0.01,16.642386155986628,NaN
0.03,14.369310554379867,14.369310554379867
0.1,15.62550270920533,NaN
0.3,50.25806823029936,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [12.018432286041087:41.39682231858596]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Boston housing: mse on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
  set title 'GAL, recommended' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, epsilon tuned, setting 0.5' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, paper' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'untrained adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'uniform noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'normal noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'linear adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m7 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m7 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weight decay, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m8 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m8 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m9 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m9 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'held-out samples mixed in' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m10 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m10 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rates of samples' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m11 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m11 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weights by a network' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m12 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m12 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'alignment reward' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m13 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m13 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
