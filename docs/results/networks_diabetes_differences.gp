# Draws networks_diabetes_differences again: gnuplot networks_diabetes_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_diabetes_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
0.11856860287282316,0.24,-0.5866266297375775,0.8237638354832238,6
0.10165482495702385,-0.76,-0.4206854164224178,0.6239950663364655,6
0.9363118996248028,-1.76,-0.10036502089377407,1.9729888201433796,6
4.201866574538187,-2.76,1.4924744921153423,6.911258656961031,6
-0.09311717378143641,-3.76,-0.4126442152728176,0.2264098677099447,6
0.25996083431131,-4.76,-0.24243486899071748,0.7623565376133374,6
6.133426222248246,-5.76,1.3319559045547442,10.934896539941748,6
0.26056547096176286,-6.76,-0.597735704348757,1.1188666462722827,6
3.6802982568620197,-8.76,1.464230460141051,5.896366053582988,6
0.24857201618518854,-11.76,-0.3421404534204332,0.8392844857908102,6
END
$equal_steps << END
0.11856860287282316,0,-0.5866266297375775,0.8237638354832238,6
0.10165482495702385,-1,-0.4206854164224178,0.6239950663364655,6
0.9363118996248028,-2,-0.10036502089377407,1.9729888201433796,6
4.201866574538187,-3,1.4924744921153423,6.911258656961031,6
-0.09311717378143641,-4,-0.4126442152728176,0.2264098677099447,6
0.25996083431131,-5,-0.24243486899071748,0.7623565376133374,6
6.133426222248246,-6,1.3319559045547442,10.934896539941748,6
-0.14516719657209456,-7,-0.34630487331012566,0.05597048016593644,6
3.6802982568620197,-9,1.464230460141051,5.896366053582988,6
0.24857201618518854,-12,-0.3421404534204332,0.8392844857908102,6
END
$equal_time << END
0.4559285263025453,-0.24,-0.3115551131491355,1.223412165754226,6
0.43421907131440207,-1.24,-0.23367494129458838,1.1021130839233924,6
1.2553217124907246,-2.24,0.10107932903557912,2.40956409594587,6
4.550258284590951,-3.2399999999999998,1.8834510417446895,7.217065527437212,7
0.23088926029972165,-4.24,-0.5107559893780507,0.9725345099774939,6
0.5868359286776865,-5.24,-0.2844195448230184,1.4580914021783915,6
0.43080605953890505,-7.24,-0.35692474551818043,1.2185368645959904,6
2.2747377833617026,-9.24,-0.3247638261583669,4.874239392881772,6
0.0010810442354300715,-12.24,-0.9347784064057987,0.9369404948766588,6
END
set label '+24 % →' at graph 0.99, first -7.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+30 % →' at graph 0.99, first -9.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+33 % →' at graph 0.99, first -10.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+24 % →' at graph 0.99, first -8 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+19 % →' at graph 0.99, first -10 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+33 % →' at graph 0.99, first -11 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+6.5 % →' at graph 0.99, first -6.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+23 % →' at graph 0.99, first -8.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+28 % →' at graph 0.99, first -10.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+29 % →' at graph 0.99, first -11.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
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
set title 'Diabetes' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mse: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-6.191184356262138:6.191184356262138]
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
