# Draws defaults_digits_sgd_differences again: gnuplot defaults_digits_sgd_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'defaults_digits_sgd_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-13.066666666666666,0.24,-20.240673883230862,-5.892659450102474,6
114.93333333333334,-0.76,-56.475267272900204,286.34193393956684,6
112.26666666666665,-1.76,48.22073060001181,176.3126027333215,6
65.86666666666667,-2.76,29.593006682553327,102.14032665078003,6
60,-3.76,29.775980638404185,90.22401936159582,7
-2.4000000000000004,-5.76,-6.064444110075001,1.264444110075,6
-6.133333333333338,-6.76,-10.284474565164475,-1.9821921015021997,6
134.40000000000012,-7.76,15.09132014517423,253.70867985482604,6
-13.066666666666666,-8.76,-20.28623805811382,-5.847095275219511,6
-13.066666666666666,-9.76,-20.148666135569567,-5.984667197763768,7
-5.333333333333333,-10.76,-14.31482978688233,3.6481631202156635,6
2.666666666666676,-11.76,-9.413172573463122,14.746505906796473,6
-17.333333333333336,-12.76,-25.666169797852586,-9.00049686881409,7
-16.26666666666667,-13.76,-23.70987623919905,-8.823457094134286,7
-10.4,-14.76,-18.47705650184176,-2.3229434981582426,6
-10.4,-15.76,-18.47705650184176,-2.3229434981582426,6
-5.066666666666668,-16.76,-16.065963100045835,5.932629766712498,6
-1.0666666666666675,-17.76,-2.3724851783697516,0.23915184503641645,6
120.2666666666667,-20.76,-61.970290842821626,302.50362417615503,6
125.33333333333334,-21.76,-70.9099120496092,321.57657871627595,6
102.93333333333335,-22.76,-68.13751770556904,274.0041843722357,6
294.1333333333334,-23.76,-10.934871925012573,599.2015385916793,6
227.19999999999996,-25.76,-34.250322895898826,488.6503228958988,6
114.93333333333334,-26.76,-56.475267272900204,286.34193393956684,6
-1.0666666666666718,-27.76,-5.690529550892312,3.5571962175589684,6
114.93333333333334,-28.76,-56.475267272900204,286.34193393956684,6
END
$equal_steps << END
-13.066666666666666,0,-20.240673883230862,-5.892659450102474,6
114.93333333333334,-1,-56.475267272900204,286.34193393956684,6
112.26666666666665,-2,48.22073060001181,176.3126027333215,6
65.86666666666667,-3,29.593006682553327,102.14032665078003,6
60,-4,29.775980638404185,90.22401936159582,7
-2.4000000000000004,-6,-6.064444110075001,1.264444110075,6
-6.133333333333338,-7,-10.284474565164475,-1.9821921015021997,6
134.40000000000012,-8,15.09132014517423,253.70867985482604,6
-13.066666666666666,-9,-20.28623805811382,-5.847095275219511,6
-13.066666666666666,-10,-20.148666135569567,-5.984667197763768,7
-5.333333333333333,-11,-14.31482978688233,3.6481631202156635,6
2.666666666666676,-12,-9.413172573463122,14.746505906796473,6
-17.333333333333336,-13,-25.666169797852586,-9.00049686881409,7
-16.26666666666667,-14,-23.70987623919905,-8.823457094134286,7
-10.4,-15,-18.47705650184176,-2.3229434981582426,6
-10.4,-16,-18.47705650184176,-2.3229434981582426,6
-5.066666666666668,-17,-16.065963100045835,5.932629766712498,6
-1.0666666666666675,-18,-2.3724851783697516,0.23915184503641645,6
120.2666666666667,-21,-61.970290842821626,302.50362417615503,6
125.33333333333334,-22,-70.9099120496092,321.57657871627595,6
102.93333333333335,-23,-68.13751770556904,274.0041843722357,6
294.1333333333334,-24,-10.934871925012573,599.2015385916793,6
227.19999999999996,-26,-34.250322895898826,488.6503228958988,6
114.93333333333334,-27,-56.475267272900204,286.34193393956684,6
-1.0666666666666718,-28,-5.690529550892312,3.5571962175589684,6
114.93333333333334,-29,-56.475267272900204,286.34193393956684,6
END
$equal_time << END
8.66666666666666,-0.24,-0.9952958544466374,18.32862918777996,6
155.87301587301585,-1.24,-48.1187850136557,359.86481675968736,6
140.4833836858006,-2.24,66.45144887140923,214.51531850019194,7
85.11904761904763,-3.2399999999999998,45.66904595407167,124.56904928402359,7
92.30769230769232,-4.24,60.61145715131598,124.00392746406867,7
12.615384615384615,-6.24,6.525476394789774,18.705292835979456,7
9.65732087227414,-7.24,3.5645397088521893,15.750102035696091,6
190.09900990098996,-8.24,46.27551664632836,333.92250315565155,6
8.66666666666667,-9.24,-2.380783234700103,19.71411656803344,6
7.947019867549671,-10.24,-0.7964007129372808,16.69044044803662,6
13.057324840764334,-11.24,2.137635653450806,23.977014028077857,6
26.644736842105253,-12.24,11.185646965333326,42.10382671887718,6
2.9900332225913546,-13.24,-7.710093474675808,13.690159919858514,6
-1.2578616352201304,-14.24,-10.692498816987458,8.176775546547196,6
10.16393442622951,-15.24,-0.39586274058168885,20.723731593040707,6
-0.8849557522123898,-16.24,-9.629097622790475,7.859186118365695,6
11.5987460815047,-17.240000000000002,-0.9328008657646983,24.130293028774098,6
13.80368098159509,-18.240000000000002,7.02983988036196,20.577522082828217,7
149.5468277945619,-21.240000000000002,-57.66666751090614,356.7603231000299,6
161.609907120743,-22.240000000000002,-66.10132114943573,389.32113539092177,6
137.07165109034267,-23.240000000000002,-62.671975021306515,336.8152772019919,6
281.05590062111804,-26.240000000000002,-23.860912113607867,585.9727133558439,6
146.48318042813455,-27.240000000000002,-50.64277400551472,343.6091348617838,6
18.15286624203822,-28.240000000000002,11.717443934348896,24.58828854972754,7
153.45911949685535,-29.240000000000002,-49.86564598945518,356.7838849831659,6
END
set label '+1060 % →' at graph 0.99, first -4.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+1527 % →' at graph 0.99, first -18.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+2070 % →' at graph 0.99, first -19.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+359 % →' at graph 0.99, first -24.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+1060 % →' at graph 0.99, first -5 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+1527 % →' at graph 0.99, first -19 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+2070 % →' at graph 0.99, first -20 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+359 % →' at graph 0.99, first -25 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+1345 % →' at graph 0.99, first -5.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+1894 % →' at graph 0.99, first -19.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+2569 % →' at graph 0.99, first -20.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+353 % →' at graph 0.99, first -24.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+432 % →' at graph 0.99, first -25.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
set arrow from graph 0, first -0.5 to graph 1, first -0.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -1.5 to graph 1, first -1.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -2.5 to graph 1, first -2.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -3.5 to graph 1, first -3.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -4.5 to graph 1, first -4.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -5.5 to graph 1, first -5.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -6.5 to graph 1, first -6.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -7.5 to graph 1, first -7.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -8.5 to graph 1, first -8.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -9.5 to graph 1, first -9.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -10.5 to graph 1, first -10.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -11.5 to graph 1, first -11.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -12.5 to graph 1, first -12.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -13.5 to graph 1, first -13.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -14.5 to graph 1, first -14.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -15.5 to graph 1, first -15.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -16.5 to graph 1, first -16.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -17.5 to graph 1, first -17.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -18.5 to graph 1, first -18.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -19.5 to graph 1, first -19.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -20.5 to graph 1, first -20.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -21.5 to graph 1, first -21.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -22.5 to graph 1, first -22.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -23.5 to graph 1, first -23.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -24.5 to graph 1, first -24.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -25.5 to graph 1, first -25.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -26.5 to graph 1, first -26.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -27.5 to graph 1, first -27.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -28.5 to graph 1, first -28.5 nohead linecolor rgb '#dddddd' back
set title 'Digits, SGD with momentum' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      test_error: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-317.6288053849628:317.6288053849628]
set yrange [-29.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5, 'recommended, epsilon 0.3' -6, 'recommended, epsilon 1' -7, 'recommended, epsilon 10' -8, 'recommended, tau 0.1' -9, 'recommended, tau 10' -10, 'recommended, tau 100' -11, 'recommended, hidden 16-4' -12, 'recommended, hidden 64-24' -13, 'recommended, hidden 64-32-16' -14, 'recommended, safeguard Lt <= L' -15, 'recommended, safeguard Lt < L' -16, 'recommended, safeguard always' -17, 'paper, epsilon 0.01' -18, 'paper, epsilon 0.3' -19, 'paper, epsilon 1' -20, 'paper, tau 0.1' -21, 'paper, tau 10' -22, 'paper, tau 100' -23, 'paper, hidden 16' -24, 'paper, hidden 16-4' -25, 'paper, hidden 64-32-16' -26, 'paper, safeguard Lt < L' -27, 'paper, safeguard Lt <= plain''s' -28, 'paper, safeguard always' -29) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 1430)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
