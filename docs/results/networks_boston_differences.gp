# Draws networks_boston_differences again: gnuplot networks_boston_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_boston_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-1.522077463206794,0.24,-9.764085187760168,6.719930261346581,6
1.3579829506123846,-0.76,-7.087385014983914,9.803350916208684,6
3.410252556126954,-1.76,-3.8833232832346676,10.703828395488575,6
-0.4515810493657513,-2.76,-8.304504052457224,7.401341953725721,6
-2.363243627702506,-3.76,-9.068705925027396,4.342218669622385,6
-0.00973151824017276,-4.76,-7.740122800429941,7.7206597639495955,6
4.436611788568202,-5.76,-4.068772046847704,12.941995623984107,6
-1.1598674678988437,-6.76,-7.812619658384903,5.492884722587216,6
-1.222517989507764,-7.76,-8.57719868709216,6.13216270807663,6
-0.9668734126700506,-8.76,-9.32030946196644,7.386562636626338,6
2.584743878985699,-9.76,-6.505181986468989,11.674669744440385,6
4.1513447226907205,-10.76,-3.190829010823295,11.493518456204736,6
0.11831970338273623,-11.76,-7.32337860311112,7.560018009876593,6
END
$equal_steps << END
1.914088396440056,0,-6.561882695422323,10.390059488302434,6
1.914088396440056,-1,-6.561882695422323,10.390059488302434,6
-2.1754276861206776,-2,-8.58844756177948,4.237592189538125,6
-5.7922871457368315,-3,-12.908459781880987,1.3238854904073254,6
-8.88071934058395,-4,-15.127134561756867,-2.634304119411033,6
-5.2039437157601,-5,-12.712514001797183,2.3046265702769833,6
-4.064255002630384,-7,-10.850983347460664,2.7224733421998955,6
-1.30844642930175,-8,-8.662604465489016,6.045711606885519,6
-0.9668734126700506,-9,-9.32030946196644,7.386562636626338,6
2.584743878985699,-10,-6.505181986468989,11.674669744440385,6
-2.595070079850767,-12,-10.909339385818033,5.719199226116499,6
END
$equal_time << END
-5.907264309154077,-0.24,-13.967270917983946,2.1527422996757912,6
-2.535880487492727,-1.24,-11.039204966644265,5.9674439916588105,6
1.4383135068981756,-2.24,-5.664234191296792,8.540861205093144,6
-3.3262979762687137,-3.2399999999999998,-11.251644060694776,4.599048108157349,6
-7.466066724135756,-4.24,-14.43599539773065,-0.49613805054086246,6
-8.170695947501683,-5.24,-16.462189298720403,0.12079740371703653,6
2.3604916280596924,-6.24,-6.289393644238926,11.01037690035831,6
2.085830525284515,-7.24,-4.213583738129952,8.385244788698982,6
-8.14157782045311,-8.24,-17.78062628578716,1.4974706448809434,6
-13.036250722717815,-9.24,-22.53291556389545,-3.539585881540181,6
-11.922164795763097,-10.24,-20.602333488669768,-3.2419961028564277,6
-14.710130190230448,-11.24,-23.052236130086165,-6.368024250374732,6
-5.630890441473653,-12.24,-15.34914840507699,4.087367522129686,6
END
set label '+159 % →' at graph 0.99, first -6 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+103 % →' at graph 0.99, first -11 right front noenhanced font ',9' textcolor rgb '#009E73'
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
set title 'Boston housing' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mse: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-24.204847936590475:24.204847936590475]
set yrange [-12.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, epsilon tuned' -1, 'GAL, paper' -2, 'untrained adjuster' -3, 'uniform noise' -4, 'normal noise' -5, 'linear adjuster' -6, 'weight decay' -7, 'rescaled' -8, 'held-out samples mixed in' -9, 'rates of samples' -10, 'weights by a network' -11, 'alignment reward' -12) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 716)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
