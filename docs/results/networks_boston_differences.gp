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
4.117509533654871,0.24,-5.3495342519445455,13.584553319254288,6
4.66676120510351,-0.76,-2.723228701850158,12.056751112057178,6
-1.5858058923518386,-1.76,-8.100253474595458,4.9286416898917835,6
4.3195808352263985,-2.76,-4.092998373179014,12.73216004363181,6
-6.29498747902071,-3.76,-13.738816510342438,1.1488415523010196,6
-5.299574228689321,-4.76,-12.804016358671799,2.204867901293157,6
6.745788065981054,-5.76,-1.7272418668235128,15.21881799878562,6
-1.337674968622372,-6.76,-7.693607755509731,5.0182578182649875,6
0.529705401860494,-7.76,-6.893674002719625,7.953084806440613,6
2.921001219977898,-8.76,-5.835959193986031,11.677961633941827,6
3.6082870748334637,-9.76,-6.124409164671862,13.34098331433879,6
15.40785170885646,-10.76,-0.7431727092997132,31.55887612701264,6
4.546513282825808,-11.76,-4.657968041604728,13.750994607256343,6
END
$equal_steps << END
4.117509533654871,0,-5.3495342519445455,13.584553319254288,6
4.66676120510351,-1,-2.723228701850158,12.056751112057178,6
-1.5858058923518386,-2,-8.100253474595458,4.9286416898917835,6
-5.4509951098590745,-3,-14.056222059673049,3.1542318399549005,6
-6.29498747902071,-4,-13.738816510342438,1.1488415523010196,6
-5.299574228689321,-5,-12.804016358671799,2.204867901293157,6
-1.337674968622372,-7,-7.693607755509731,5.0182578182649875,6
0.49876109774148714,-8,-6.918832944638721,7.916355140121694,6
2.921001219977898,-9,-5.835959193986031,11.677961633941827,6
3.6082870748334637,-10,-6.124409164671862,13.34098331433879,6
-4.09592270650208,-12,-12.23140726517317,4.039561852169008,6
END
$equal_time << END
0.9926951110454983,-0.24,-7.479289142930035,9.464679365021032,6
2.75315287462296,-1.24,-3.205087400510897,8.711393149756818,6
-3.2777453397210974,-2.24,-9.902325145394524,3.34683446595233,6
1.5910514361520087,-3.2399999999999998,-6.128950612632226,9.311053484936243,6
-7.377684156494771,-4.24,-14.692078395188387,-0.06328991780115693,6
-9.570101349885528,-5.24,-17.33635334842387,-1.8038493513471858,6
2.4344401509058557,-6.24,-6.9195846642900465,11.788464966101758,6
-0.8662527206018157,-7.24,-7.634237453427083,5.9017320122234525,6
-6.084634986855691,-8.24,-15.447752509796329,3.2784825360849466,6
-8.20625428312028,-9.24,-20.02434785984984,3.6118392936092754,6
-9.153822641214425,-10.24,-19.812415751031338,1.5047704686024863,6
2.166833538242182,-11.24,-13.576679498064987,17.91034657454935,6
-4.202296183358306,-12.24,-15.836114894629324,7.431522527912712,6
END
set label '+138 % →' at graph 0.99, first -6 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+99 % →' at graph 0.99, first -11 right front noenhanced font ',9' textcolor rgb '#009E73'
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
set xrange [-33.13681993336327:33.13681993336327]
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
