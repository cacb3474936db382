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
$curves << END
1,0.279778,2.02374e-05,0,0,0,0.449556,5.35068e-05,0.417838,0.71892,0.837209,0.415333,7.53918e-08,-0.0412042,1,0.311628
2,0.138222,2.31492e-05,0,0,0,0.213111,0.000140492,0.899225,0.980305,1,0.142667,7.3247e-08,-0.0615959,1,0.204651
3,0.0848889,1.27991e-05,0,0,0,0.0706667,0.000102258,0.984222,1,1,0.0957778,3.71459e-08,-0.0721181,1,0.248837
4,0.0746667,8.49862e-06,0,0,0,0.0624444,7.00933e-05,0.992003,1,1,0.0775556,3.70326e-08,-0.0743786,1,0.25814
5,0.0582222,6.57704e-06,0,0,0,0.0571111,6.3134e-05,0.99553,1,1,0.0642222,4.09481e-08,-0.0745367,1,0.288372
6,0.0513333,5.39873e-06,0,0,0,0.0473333,5.11304e-05,0.99672,1,1,0.0586667,2.52793e-08,-0.0882185,1,0.295349
7,0.0506667,4.80963e-06,0,0,0,0.0391111,4.07365e-05,0.997454,1,1,0.0584444,2.56811e-08,-0.0805555,1,0.337209
8,0.0404444,4.12626e-06,0,0,0,0.0428889,3.39574e-05,0.997618,1,1,0.0533333,1.57895e-08,-0.0768,1,0.353488
9,0.0402222,3.63576e-06,0,0,0,0.0388889,3.06025e-05,0.998122,1,1,0.0575556,1.31108e-08,-0.0875223,1,0.316279
10,0.0404444,3.52262e-06,0,0,0,0.0308889,2.59401e-05,0.998067,1,1,0.0522222,1.03598e-08,-0.0788187,1,0.34186
11,0.0362222,3.2458e-06,0,0,0,0.0388889,2.38693e-05,0.998392,1,1,0.0517778,2.17079e-08,-0.0799922,1,0.34186
12,0.0324444,3.00096e-06,0,0,0,0.032,1.9623e-05,0.998329,1,1,0.0784444,5.10305e-09,-0.0818177,1,0.330233
13,0.0324444,2.71786e-06,0,0,0,0.0317778,1.74352e-05,0.998493,1,1,0.0797778,1.54029e-08,-0.0825209,1,0.346512
14,0.0333333,2.59874e-06,0,0,0,0.0304444,1.78965e-05,0.998408,1,1,0.106889,6.29732e-09,-0.0752403,1,0.360465
15,0.0344444,2.45222e-06,0,0,0,0.03,1.25676e-05,0.998448,1,1,0.149778,8.15377e-09,-0.078352,1,0.348837
16,0.0344444,2.36799e-06,0,0,0,0.0313333,1.20557e-05,0.998745,1,1,0.184444,3.46684e-09,-0.0743165,1,0.351163
17,0.0335556,2.23727e-06,0,0,0,0.0284444,1.0962e-05,0.998186,1,1,0.206444,1.05435e-08,-0.0716149,1,0.35814
18,0.0311111,2.22634e-06,0,0,0,0.0306667,1.08534e-05,0.998392,1,1,0.178222,8.9992e-09,-0.0904943,1,0.332558
19,0.0322222,2.02362e-06,0,0,0,0.0271111,7.1347e-06,0.998478,1,1,0.212,5.17967e-09,-0.0826542,1,0.351163
20,0.0308889,1.99193e-06,0,0,0,0.028,5.73165e-06,0.99871,1,1,0.216667,1.04316e-08,-0.0643615,1,0.4
END

set style textbox opaque noborder fillcolor rgb 'white'
set grid linecolor rgb '#dddddd' linetype 1
set key off
set tics nomirror
set xtics font ',10'
title = 'Digits, SGD with momentum, mean of 10 seeds'
vanilla_line(k) = sprintf("$curves using 1:%d with lines linewidth 3 linecolor rgb vanilla title 'vanilla'", k + 1)
gal_line(k) = sprintf("$curves using 1:%d with lines linewidth 3 linecolor rgb adjusted title 'recommended'", k + 6)
paper_line(k) = sprintf("$curves using 1:%d with lines linewidth 2 dashtype 2 linecolor rgb ink title 'paper'", k + 11)
set key top right
set xlabel 'epoch'
change(k) = sprintf("(100 * ($%d / $2 - 1)) ", k)
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.09, 0.88 spacing 0.07, 0.17
  set logscale y
  set title 'Share of errors on the test part'
  eval 'plot ' . vanilla_line(1) . ', ' . gal_line(1) . ', ' . paper_line(1)
  unset logscale y
  set format y '%g %%'
  set yrange [-30:30]
  set title 'The same against vanilla, cut at 30 %'
  eval 'plot 0 linewidth 3 linecolor rgb vanilla title "vanilla", $curves using 1:' . change(7) . ' with lines linewidth 3 linecolor rgb adjusted title "recommended", $curves using 1:' . change(12) . ' with lines linewidth 2 dashtype 2 linecolor rgb ink title "paper"'
  set yrange [*:*]
  set logscale y
  set format y '10^{%T}'
  set title 'Remainder of the tentative step, |R|'
  eval 'plot ' . vanilla_line(2) . ', ' . gal_line(2) . ', ' . paper_line(2)
  unset logscale y
  set format y '%g'
  set yrange [-1.05:1.05]
  set key at graph 0.97, graph 0.8
  set title 'Cosine between gradient and adjustment'
  eval 'plot ' . gal_line(3) . ', ' . paper_line(3)
  set yrange [-0.02:1.02]
  set title 'Share of samples accepted'
  eval 'plot ' . gal_line(4) . ', ' . paper_line(4)
  set title 'Share of steps ahead of vanilla''s'
  eval 'plot ' . gal_line(5) . ', ' . paper_line(5)
  set yrange [*:*]
  unset multiplot
}
unset output
