# Draws networks_boston_rates again: gnuplot networks_boston_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_boston_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
3e-04,32.65764848611074,NaN
0.001,16.610847462714453,NaN
0.003,13.912347231105972,NaN
0.01,12.866842931113274,NaN
0.03,12.762680448342248,NaN
0.1,12.668216815949581,12.668216815949581
END
$m1 << END
3e-04,31.11349296559837,NaN
0.001,16.09898413006966,NaN
0.003,13.566553451404168,NaN
0.01,12.291999142786507,NaN
0.03,12.134670204073695,12.134670204073695
0.1,12.775987540489904,NaN
END
$m2 << END
3e-04,30.897407285850313,NaN
0.001,15.945451808144565,NaN
0.003,13.483434430776898,NaN
0.01,12.291999142786507,NaN
0.03,12.012089938487115,12.012089938487115
0.1,12.775987540489904,NaN
END
$m3 << END
3e-04,31.368668538592107,NaN
0.001,16.487779042314912,NaN
0.003,13.577808550207124,NaN
0.01,12.766013524933912,NaN
0.03,11.883353828402738,11.883353828402738
0.1,13.16182143448066,NaN
END
$m4 << END
3e-04,32.41695235684251,NaN
0.001,17.43080881002058,NaN
0.003,14.775983281911369,NaN
0.01,12.577992807493558,NaN
0.03,11.868554885580854,11.868554885580854
0.1,13.731664029603778,NaN
END
$m5 << END
3e-04,33.513802577101664,NaN
0.001,16.878006447380304,NaN
0.003,13.888626890768736,NaN
0.01,12.998342826450763,NaN
0.03,11.775989783987972,11.775989783987972
0.1,11.846276445338798,NaN
END
$m6 << END
3e-04,33.81423074810546,NaN
0.001,17.044777100002328,NaN
0.003,14.114318897848548,NaN
0.01,13.103596813043998,NaN
0.03,11.809671619541083,11.809671619541083
0.1,13.695777696278652,NaN
END
$m7 << END
3e-04,28.935818978580883,NaN
0.001,15.915520144616393,NaN
0.003,14.311632137520299,NaN
0.01,11.47176316996491,11.47176316996491
0.03,12.454588390919119,NaN
0.1,12.678075109002819,NaN
END
$m8 << END
3e-04,32.65764848611074,NaN
0.001,16.610847462714453,NaN
0.003,13.912347231105972,NaN
0.01,12.498090793986824,NaN
0.03,11.620558088362255,11.620558088362255
0.1,11.64001193239114,NaN
END
$m9 << END
3e-04,13.032161678736022,NaN
0.001,13.029800668239531,13.029800668239531
0.003,13.031354855447804,NaN
0.01,13.03134560397474,NaN
0.03,13.032099631461351,NaN
0.1,13.032107749199184,NaN
END
$m10 << END
3e-04,34.93108408157134,NaN
0.001,17.084298685671115,NaN
0.003,15.202117747107904,NaN
0.01,14.133624260450384,NaN
0.03,13.460341461713382,NaN
0.1,11.87477531034167,11.87477531034167
END
$m11 << END
3e-04,35.79793361100317,NaN
0.001,18.73592013858362,NaN
0.003,16.643769572890907,NaN
0.01,15.498442088663039,NaN
0.03,13.48802609785109,NaN
0.1,12.399572082942328,12.399572082942328
END
$m12 << END
3e-04,34.984020306219435,NaN
0.001,17.184221448320255,NaN
0.003,15.440388705440045,NaN
0.01,14.892930354901404,NaN
0.03,12.189626836566893,12.189626836566893
0.1,23.661042340252266,NaN
END
$m13 << END
3e-04,32.809768036197966,NaN
0.001,16.19161695010726,NaN
0.003,14.129592356308384,NaN
0.01,12.814799447952312,NaN
0.03,12.065449536055597,12.065449536055597
0.1,13.315952218834443,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [10.412468904157619:33.71694275191803]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Boston housing: mse on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
  set title 'GAL, recommended' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, epsilon tuned, setting 0.5' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, paper' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'untrained adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'uniform noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'normal noise' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'linear adjuster' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m7 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m7 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weight decay, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m8 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m8 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m9 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m9 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'held-out samples mixed in' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m10 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m10 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rates of samples' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m11 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m11 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weights by a network' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m12 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m12 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'alignment reward' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m13 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m13 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
