# Draws follow_digits_sgd again: gnuplot follow_digits_sgd.gp
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
  terminal_of(kind), width, height, font_of(kind), 'follow_digits_sgd.' . kind . suffix)
set key bottom
set xlabel 'epoch'
set grid linecolor rgb '#dddddd'
$remainder0 << END
1,1.94453e-05
2,2.40476e-05
3,1.94922e-05
4,1.16866e-05
5,8.24782e-06
6,6.51892e-06
7,5.48524e-06
8,4.80036e-06
9,4.20161e-06
10,3.79883e-06
11,3.48896e-06
12,3.24297e-06
13,2.98841e-06
14,2.76898e-06
15,2.64447e-06
16,2.52667e-06
17,2.37393e-06
18,2.22029e-06
19,2.16828e-06
20,2.06596e-06
END
$remainder1 << END
1,3.82369e-05
2,0.000130769
3,0.000122336
4,8.20439e-05
5,6.16164e-05
6,4.99993e-05
7,4.21801e-05
8,3.63725e-05
9,2.93269e-05
10,2.63706e-05
11,2.09382e-05
12,1.82263e-05
13,1.40987e-05
14,1.3545e-05
15,1.24844e-05
16,1.12648e-05
17,9.3858e-06
18,9.22706e-06
19,7.43659e-06
20,6.02294e-06
END
$remainder2 << END
1,2.03523e-08
2,2.463e-08
3,2.00659e-08
4,1.24884e-08
5,8.816e-09
6,7.189e-09
7,6.14416e-09
8,5.42404e-09
9,4.95197e-09
10,4.81809e-09
11,4.49858e-09
12,4.08361e-09
13,3.19258e-09
14,2.94006e-09
15,2.87555e-09
16,2.82011e-09
17,2.73799e-09
18,2.78858e-09
19,2.80947e-09
20,2.77271e-09
END
$cosine0 << END
1,0
2,0
3,0
4,0
5,0
6,0
7,0
8,0
9,0
10,0
11,0
12,0
13,0
14,0
15,0
16,0
17,0
18,0
19,0
20,0
END
$cosine1 << END
1,0.321093
2,0.806973
3,0.969314
4,0.990402
5,0.993922
6,0.995058
7,0.99638
8,0.996785
9,0.996965
10,0.997094
11,0.997236
12,0.997781
13,0.997353
14,0.997891
15,0.997679
16,0.997788
17,0.997614
18,0.997941
19,0.997696
20,0.99812
END
$cosine2 << END
1,-0.0280555
2,-0.0724338
3,-0.0685798
4,-0.0719821
5,-0.0712127
6,-0.0751898
7,-0.0720208
8,-0.0714299
9,-0.0697312
10,-0.0794302
11,-0.0810167
12,-0.0793526
13,-0.0764548
14,-0.0727282
15,-0.0798876
16,-0.0648331
17,-0.0726838
18,-0.0889153
19,-0.0721684
20,-0.0730762
END
$accepted0 << END
1,0
2,0
3,0
4,0
5,0
6,0
7,0
8,0
9,0
10,0
11,0
12,0
13,0
14,0
15,0
16,0
17,0
18,0
19,0
20,0
END
$accepted1 << END
1,0.664833
2,0.938694
3,0.999707
4,1
5,1
6,1
7,1
8,1
9,1
10,1
11,1
12,1
13,1
14,1
15,1
16,1
17,1
18,1
19,1
20,1
END
$accepted2 << END
1,1
2,1
3,1
4,1
5,1
6,1
7,1
8,1
9,1
10,1
11,1
12,1
13,1
14,1
15,1
16,1
17,1
18,1
19,1
20,1
END
$ahead0 << END
1,0
2,0
3,0
4,0
5,0
6,0
7,0
8,0
9,0
10,0
11,0
12,0
13,0
14,0
15,0
16,0
17,0
18,0
19,0
20,0
END
$ahead1 << END
1,0.775
2,1
3,1
4,1
5,1
6,1
7,1
8,1
9,1
10,1
11,1
12,1
13,1
14,1
15,1
16,1
17,1
18,1
19,1
20,1
END
$ahead2 << END
1,0.3625
2,0.153125
3,0.190625
4,0.2625
5,0.253125
6,0.309375
7,0.33125
8,0.33125
9,0.3125
10,0.31875
11,0.334375
12,0.303125
13,0.346875
14,0.334375
15,0.321875
16,0.35625
17,0.35625
18,0.31875
19,0.3375
20,0.346875
END
do for [kind in 'png'] {
  eval start(kind, 1200, 800)
  set multiplot layout 2,2 title 'Digits, SGD with momentum' font ',17'
  set title 'size of the remainder'
  set logscale y
  plot $remainder0 with lines linewidth 2.5 linecolor rgb vanilla title 'plain', $remainder1 with lines linewidth 2.5 linecolor rgb adjusted title 'GAL, recommended', $remainder2 with lines linewidth 2.5 linecolor rgb ink title 'GAL, paper'
  set title 'cosine of adjustment and gradient'
  unset logscale y
  plot $cosine0 with lines linewidth 2.5 linecolor rgb vanilla title 'plain', $cosine1 with lines linewidth 2.5 linecolor rgb adjusted title 'GAL, recommended', $cosine2 with lines linewidth 2.5 linecolor rgb ink title 'GAL, paper'
  set title 'share of samples accepted'
  unset logscale y
  plot $accepted0 with lines linewidth 2.5 linecolor rgb vanilla title 'plain', $accepted1 with lines linewidth 2.5 linecolor rgb adjusted title 'GAL, recommended', $accepted2 with lines linewidth 2.5 linecolor rgb ink title 'GAL, paper'
  set title 'share of steps ahead of the plain gradient'
  unset logscale y
  plot $ahead0 with lines linewidth 2.5 linecolor rgb vanilla title 'plain', $ahead1 with lines linewidth 2.5 linecolor rgb adjusted title 'GAL, recommended', $ahead2 with lines linewidth 2.5 linecolor rgb ink title 'GAL, paper'
  unset multiplot
}
unset output
