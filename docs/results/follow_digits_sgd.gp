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
1,0.279778,2.02374e-05,0,0,0,0.449556,5.35068e-05,0.417838,0.71892,0.837209,0.458889,7.57657e-08,-0.075865,1,0.174419
2,0.138222,2.31492e-05,0,0,0,0.213111,0.000140492,0.899225,0.980305,1,0.145111,7.20901e-08,-0.0935155,1,0.12093
3,0.0848889,1.27991e-05,0,0,0,0.0706667,0.000102258,0.984222,1,1,0.0957778,3.84626e-08,-0.0848229,1,0.234884
4,0.0746667,8.49862e-06,0,0,0,0.0624444,7.00933e-05,0.992003,1,1,0.0797778,3.34802e-08,-0.083702,1,0.246512
5,0.0582222,6.57704e-06,0,0,0,0.0571111,6.3134e-05,0.99553,1,1,0.0748889,4.13024e-08,-0.0840093,1,0.269767
6,0.0513333,5.39873e-06,0,0,0,0.0473333,5.11304e-05,0.99672,1,1,0.074,2.96244e-08,-0.087533,1,0.330233
7,0.0506667,4.80963e-06,0,0,0,0.0391111,4.07365e-05,0.997454,1,1,0.0597778,2.42737e-08,-0.0855684,1,0.306977
8,0.0404444,4.12626e-06,0,0,0,0.0428889,3.39574e-05,0.997618,1,1,0.101111,1.5329e-08,-0.0802425,1,0.32093
9,0.0402222,3.63576e-06,0,0,0,0.0388889,3.06025e-05,0.998122,1,1,0.112444,1.22868e-08,-0.0886555,1,0.327907
10,0.0404444,3.52262e-06,0,0,0,0.0308889,2.59401e-05,0.998067,1,1,0.134,6.54188e-09,-0.0849545,1,0.327907
11,0.0362222,3.2458e-06,0,0,0,0.0388889,2.38693e-05,0.998392,1,1,0.135111,1.97073e-08,-0.0769429,1,0.344186
12,0.0324444,3.00096e-06,0,0,0,0.032,1.9623e-05,0.998329,1,1,0.134889,5.002e-09,-0.0825396,1,0.35814
13,0.0324444,2.71786e-06,0,0,0,0.0317778,1.74352e-05,0.998493,1,1,0.154,9.21435e-09,-0.088584,1,0.327907
14,0.0333333,2.59874e-06,0,0,0,0.0304444,1.78965e-05,0.998408,1,1,0.148444,4.31896e-09,-0.0796012,1,0.344186
15,0.0344444,2.45222e-06,0,0,0,0.03,1.25676e-05,0.998448,1,1,0.137556,7.11861e-09,-0.0826057,1,0.367442
16,0.0344444,2.36799e-06,0,0,0,0.0313333,1.20557e-05,0.998745,1,1,0.176222,3.59515e-09,-0.0858914,1,0.351163
17,0.0335556,2.23727e-06,0,0,0,0.0284444,1.0962e-05,0.998186,1,1,0.172667,1.05464e-08,-0.0853523,1,0.351163
18,0.0311111,2.22634e-06,0,0,0,0.0306667,1.08534e-05,0.998392,1,1,0.193556,8.63382e-09,-0.0890973,1,0.339535
19,0.0322222,2.02362e-06,0,0,0,0.0271111,7.1347e-06,0.998478,1,1,0.182667,3.16824e-09,-0.0966204,1,0.330233
20,0.0308889,1.99193e-06,0,0,0,0.028,5.73165e-06,0.99871,1,1,0.196,1.31222e-08,-0.0769079,1,0.362791
END

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
do for [kind in 'png'] {
  eval start(kind, 1500, 820)
  set multiplot layout 2,3 title title font ',17' textcolor rgb ink margins 0.06, 0.98, 0.09, 0.88 spacing 0.07, 0.17
  set logscale y
  set title 'Share of errors on the test part'
  eval 'plot ' . vanilla_line(1) . ', ' . gal_line(1) . ', ' . paper_line(1)
  set format y '10^{%T}'
  set title 'Remainder of the tentative step, |R|'
  eval 'plot ' . vanilla_line(2) . ', ' . gal_line(2) . ', ' . paper_line(2)
  unset logscale y
  set format y '%g'
  set yrange [-1.05:1.05]
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
