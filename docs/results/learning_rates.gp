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
0.0005,15.7163,15.304,15.6624
0.0007,13.9022,13.5414,13.8748
0.001,12.7304,12.4172,12.7128
0.0014,12.0868,11.9205,12.0491
0.002,11.7892,11.8549,11.7818
0.0028,12.0994,12.6296,12.1682
0.004,13.0832,13.994,13.2507
0.0056,14.2712,15.4489,14.3369
0.008,15.7644,16.4854,15.7157
0.011,16.4874,16.8586,16.6024
0.016,16.9901,17.2516,16.9635
END
$p1 << END
0.0005,4477.74,4489.68,4445.52
0.0007,3684.69,3681.11,3662.57
0.001,3196.3,3181.72,3213.02
0.0014,2987.4,2973.1,3020.88
0.002,2911.54,2901.35,2950.54
0.0028,2901.03,2898.06,2938.43
0.004,2927.78,2928.56,2955.55
0.0056,2961.41,2968.34,2996.21
0.008,2998.29,3017.28,3028.92
0.011,3044.57,3075.92,3061.53
0.016,3124.05,3185.35,3140.23
END
$p2 << END
0.01,0.0662908,0.050089,0.0820178
0.014,0.0577448,0.0500297,0.113056
0.02,0.0521068,0.0464688,0.124748
0.028,0.0500297,0.0424926,0.12546
0.04,0.0477745,0.0414837,0.16184
0.056,0.0459941,0.0464095,0.148724
0.08,0.042908,0.103858,0.182374
0.112,0.0382789,0.242908,0.245697
0.16,0.0367953,0.566825,0.264332
0.22,0.0352522,0.76362,0.379881
0.32,0.0579228,0.877389,0.582136
END
$p3 << END
0.0005,0.0913947,0.0891988,0.0971513
0.0007,0.0789318,0.0756677,0.0833828
0.001,0.0655193,0.0635015,0.0691395
0.0014,0.0552522,0.0554896,0.0614837
0.002,0.0508012,0.0503858,0.0585757
0.0028,0.0463501,0.0475371,0.0578635
0.004,0.0452819,0.0461128,0.0637389
0.0056,0.0436795,0.0455786,0.0621958
0.008,0.0423739,0.0455193,0.0637389
0.011,0.04,0.0459347,0.0730564
0.016,0.0379228,0.0480712,0.0821365
END

set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'

set key at screen 0.85, screen 0.28 center center  # where no panel is
set logscale x
set xlabel 'learning rate'
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title 'Error on the validation part (MSE, or share of errors), mean of the seeds' font ',17' textcolor rgb ink margins 0.06, 0.98, 0.09, 0.88 spacing 0.07, 0.17
  set title 'Boston housing'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [0.0004:0.02]
  plot $p0 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p0 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p0 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper'
  set title 'Diabetes'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [0.0004:0.02]
  plot $p1 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p1 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p1 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper'
  set title 'Digits, SGD with momentum'
  set xtics (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
  set xrange [0.008:0.4]
  plot $p2 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p2 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p2 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper'
  set title 'Digits, Adam'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)
  set xrange [0.0004:0.02]
  plot $p3 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p3 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p3 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper'
  unset multiplot
}
unset output
