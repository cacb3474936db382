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
0.0005,15.5913,15.5923,15.4728,15.1038
0.001,12.7157,12.6697,12.6418,12.3991
0.002,11.9728,11.8871,11.8749,11.9648
0.004,13.1923,13.3105,13.253,13.915
0.008,15.3393,15.5526,15.3411,16.0397
END
$p1 << END
0.0005,4465.06,4465.49,4409.32,4435.82
0.001,3184.64,3191.58,3202.29,3158.42
0.002,2909.75,2909.05,2941.9,2901.24
0.004,2921.24,2926.82,2952.06,2928.01
0.008,2996.12,2997.35,3026.45,3026.13
END
$p2 << END
0.0005,0.292557,0.293002,0.296131
0.001,0.291845,0.291611,0.288434
0.002,0.286116,0.286541,0.285576
0.004,0.281984,0.283587,0.290953
0.008,0.290536,0.295245,0.305152
END
$p3 << END
0.01,0.0670623,0.0488131,0.0746291,0.0611276
0.02,0.0510386,0.0467359,0.100148,0.0583086
0.04,0.0468843,0.0511869,0.147478,0.0525223
0.08,0.0424332,0.168249,0.143472,0.119585
0.16,0.0379822,0.761276,0.213056,0.551335
END
$p4 << END
0.0005,0.0905045,0.0910979,0.0951039
0.001,0.0633531,0.0651335,0.0686944
0.002,0.0513353,0.0508902,0.0574184
0.004,0.0458457,0.0461424,0.0593472
0.008,0.0428783,0.0465875,0.0620178
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
  set multiplot layout 2,3 title 'Error on the validation part (MSE, or share of errors), mean of the seeds' font ',17' \
    textcolor rgb ink margins 0.06, 0.98, 0.09, 0.88 spacing 0.07, 0.17
  set title 'Boston housing'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008)
  set xrange [0.0004:0.01]
  plot $p0 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p0 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p0 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $p0 using 1:5 with linespoints pointtype 8 linewidth 2 linecolor rgb '#009E73' title 'narrow'
  set title 'Diabetes'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008)
  set xrange [0.0004:0.01]
  plot $p1 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p1 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p1 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $p1 using 1:5 with linespoints pointtype 8 linewidth 2 linecolor rgb '#009E73' title 'narrow'
  set title 'California housing'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008)
  set xrange [0.0004:0.01]
  plot $p2 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p2 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p2 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $p2 using 1:5 with linespoints pointtype 8 linewidth 2 linecolor rgb '#009E73' title 'narrow'
  set title 'Digits, SGD with momentum'
  set xtics (0.01, 0.02, 0.04, 0.08, 0.16)
  set xrange [0.008:0.2]
  plot $p3 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p3 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p3 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $p3 using 1:5 with linespoints pointtype 8 linewidth 2 linecolor rgb '#009E73' title 'narrow'
  set title 'Digits, Adam'
  set xtics (0.0005, 0.001, 0.002, 0.004, 0.008)
  set xrange [0.0004:0.01]
  plot $p4 using 1:2 with linespoints pointtype 7 linewidth 3 linecolor rgb vanilla title 'vanilla', $p4 using 1:3 with linespoints pointtype 7 linewidth 3 linecolor rgb adjusted title 'recommended', $p4 using 1:4 with linespoints pointtype 6 linewidth 2 dashtype 2 linecolor rgb ink title 'paper', $p4 using 1:5 with linespoints pointtype 8 linewidth 2 linecolor rgb '#009E73' title 'narrow'
  unset multiplot
}
unset output
