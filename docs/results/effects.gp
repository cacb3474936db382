# Draws effects again: gnuplot effects.gp
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
  terminal_of(kind), width, height, font_of(kind), 'effects.' . kind . suffix)
$p0 << END
-2.628826994650786,-3.432437054064817,-1.8252284117735493,0
-0.6090288210268516,-1.1413978192284782,-0.07665970805985703,-1
4.045502173082242,2.2702770321216788,5.820727314042805,-2
2.096889514232627,1.4276352710700608,2.7661437573951932,-3
2.601811227036884,1.6294272175251305,3.574195236548638,-4
3.4597856412457553,-0.3752379946817728,7.294808129519603,-5
END
$p1 << END
-0.7057935718450932,-0.8501492127739856,-0.5614379309162008,0
1.5032415188831336,1.173388673549892,1.8330909340376633,-1
3.9743079614447914,2.4438068123349224,5.50485370287792,-2
0.38632044729530407,0.2156676842863513,0.556971838232772,-3
0.49740678489349294,0.3441395396700168,0.6506705999382568,-4
6.197063767022262,3.006431585085583,9.387713099852503,-5
END
$p2 << END
-0.47680307975562797,-0.8798326219767344,-0.07377521131475435,0
1.7491806845761149,0.41330320528914544,3.085054816302619,-1
4.976918570591681,2.4033776885094986,7.550456105113398,-2
1.7885413005272404,0.6151644489078583,2.9619181521466227,-3
2.342217758808268,0.8981571679638461,3.7862917398945513,-4
-0.19587379697045776,-0.6223349234245542,0.2305856557034061,-5
END
$p3 << END
-0.41946502648365525,-1.4353184112015371,0.5963920390758143,0
0.7415460270836324,-0.4744604806442945,1.957556215653147,-1
2.907555663526909,1.1933877361719984,4.621738314248169,-2
0.7068577759618959,-0.49768659106218044,1.9114021429859722,-3
0.02870386525175116,-1.5373439783272047,1.5947540645693232,-4
0.07177088969622014,-1.068095569370981,1.2116373487634213,-5
END
$p4 << END
-9.84307796993157,-15.888219132355019,-3.797936807508121,0
END
$p5 << END
-2.2388080585896066,-5.089986091404936,0.6123727727357954,0
21.268676556601264,14.064304164462838,28.47316088914262,-1
-0.12437810109897489,-3.2267660697444676,2.9780065093344303,-5
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'

set yrange [-5.6:0.6]
set xlabel 'change against vanilla in percent'
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linewidth 2 linecolor rgb vanilla
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title 'Change of the test error against vanilla, 95 % interval; left of the line is better. → stands for changes beyond 50 %' font ',17' textcolor rgb ink margins 0.12, 0.98, 0.09, 0.88 spacing 0.13, 0.16
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'Boston housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p0 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'Diabetes: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p1 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'California housing: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p2 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set xrange [*<-1:1<*]  # zero is always seen, beside the numbers
  set title 'California housing, 100 epochs: MSE'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p3 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label '+284 % →' at graph 0.98, first -1 right front boxed font ',10'
  set label '+104 % →' at graph 0.98, first -2 right front boxed font ',10'
  set label '+103 % →' at graph 0.98, first -3 right front boxed font ',10'
  set label '+80 % →' at graph 0.98, first -4 right front boxed font ',10'
  set label '+1538 % →' at graph 0.98, first -5 right front boxed font ',10'
  set xrange [*<-1:10<*]  # zero is always seen, beside the numbers
  set title 'Digits, SGD with momentum: error'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p4 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset label
  set label '+278 % →' at graph 0.98, first -2 right front boxed font ',10'
  set label '+189 % →' at graph 0.98, first -3 right front boxed font ',10'
  set label '+381 % →' at graph 0.98, first -4 right front boxed font ',10'
  set xrange [*<-1:10<*]  # zero is always seen, beside the numbers
  set title 'Digits, Adam: error'
  set ytics ('recommended' 0, 'paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5)
  plot $p5 using 1:4:2:3 with xerrorbars pointtype 7 pointsize 1.2 linewidth 2 linecolor rgb adjusted
  unset multiplot
}
unset output
