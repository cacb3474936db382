# Draws learning_rates again: gnuplot learning_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'learning_rates.' . kind . suffix)
$p0 << END
5e-04,15.7163,15.304,15.6044
7e-04,13.9022,13.5414,13.8326
0.001,12.7304,12.4172,12.6646
0.0014,12.0868,11.9205,12.0193
0.002,11.7892,11.8549,11.7428
0.0028,12.0994,12.6296,12.1334
0.004,13.0832,13.994,13.139
0.0056,14.2712,15.4489,14.2633
0.008,15.7644,16.4854,15.5682
0.011,16.4874,16.8586,16.5009
0.016,16.9901,17.2516,16.7964
END
$c0 << END
0.002,11.7892
0.002,11.8549
0.002,11.7428
END
$p1 << END
5e-04,4477.74,4489.68,4437.65
7e-04,3684.69,3681.11,3665.74
0.001,3196.3,3181.72,3210.16
0.0014,2987.4,2973.1,3018.45
0.002,2911.54,2901.35,2946.12
0.0028,2901.03,2898.06,2931.9
0.004,2927.78,2928.56,2958.47
0.0056,2961.41,2968.34,2997.53
0.008,2998.29,3017.28,3030.77
0.011,3044.57,3075.92,3076.37
0.016,3124.05,3185.35,3147.61
END
$c1 << END
0.0028,2901.03
0.0028,2898.06
0.0028,2931.9
END
$p2 << END
5e-04,0.30011,0.29488,0.300571
7e-04,0.290405,0.288481,0.290924
0.001,0.288678,0.285948,0.286986
0.0014,0.286725,0.285349,0.284864
0.002,0.281908,0.280799,0.282257
0.0028,0.285179,0.277904,0.281166
0.004,0.283148,0.280345,0.28785
0.0056,0.335296,0.288442,0.291157
0.008,0.292562,0.297817,0.390753
0.011,0.300262,0.298819,0.310532
0.016,0.311674,0.314438,0.319386
END
$c2 << END
0.002,0.281908
0.0028,0.277904
0.0028,0.281166
END
$p3 << END
0.01,0.0662908,0.050089,0.0851632
0.014,0.0577448,0.0500297,0.0988131
0.02,0.0521068,0.0464688,0.121424
0.028,0.0500297,0.0424926,0.134837
0.04,0.0477745,0.0414837,0.155193
0.056,0.0459941,0.0464095,0.155786
0.08,0.042908,0.103858,0.184214
0.112,0.0382789,0.242908,0.212285
0.16,0.0367953,0.566825,0.252107
0.22,0.0352522,0.76362,0.366825
0.32,0.0579228,0.877389,0.521899
END
$c3 << END
0.01,0.0851632
0.04,0.0414837
0.22,0.0352522
END
$p4 << END
5e-04,0.0913947,0.0891988,0.0964985
7e-04,0.0789318,0.0756677,0.0823739
0.001,0.0655193,0.0635015,0.0686647
0.0014,0.0552522,0.0554896,0.0608902
0.002,0.0508012,0.0503858,0.0579228
0.0028,0.0463501,0.0475371,0.0560237
0.004,0.0452819,0.0461128,0.0611276
0.0056,0.0436795,0.0455786,0.0639763
0.008,0.0423739,0.0455193,0.0701484
0.011,0.04,0.0459347,0.0751335
0.016,0.0379228,0.0480712,0.0866469
END
$c4 << END
0.0028,0.0560237
0.008,0.0455193
0.016,0.0379228
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'

set key on at screen 0.85, screen 0.28 center center  # where no panel is
set logscale x
set xlabel 'learning rate'
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title 'Error on the validation part, mean of the seeds; lower is better' font ',17' textcolor rgb ink margins 0.075, 0.98, 0.09, 0.88 spacing 0.08, 0.17
  set title 'Boston housing'
  set xtics (5e-04, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [4e-04:0.02]
  set ylabel 'MSE'
  unset logscale y
  set ytics auto
  plot $p0 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p0 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p0 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c0 using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of each'
  set key off
  set title 'Diabetes'
  set xtics (5e-04, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [4e-04:0.02]
  set ylabel 'MSE'
  unset logscale y
  set ytics auto
  plot $p1 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p1 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p1 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c1 using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of each'
  set title 'California housing'
  set xtics (5e-04, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [4e-04:0.02]
  set ylabel 'MSE'
  unset logscale y
  set ytics auto
  plot $p2 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p2 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p2 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c2 using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of each'
  set title 'Digits, SGD with momentum'
  set xtics (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
  set xrange [0.008:0.4]
  set ylabel 'share of errors'
  set logscale y
  set ytics (0.02, 0.05, 0.1, 0.2, 0.5, 1)
  plot $p3 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p3 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p3 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c3 using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of each'
  set title 'Digits, Adam'
  set xtics (5e-04, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [4e-04:0.02]
  set ylabel 'share of errors'
  unset logscale y
  set ytics auto
  plot $p4 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p4 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p4 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $c4 using 1:2 with points pointtype 6 pointsize 2.8 linewidth 2 linecolor rgb ink title 'best rate of each'
  unset multiplot
}
unset output
