# Draws networks_diabetes_rates again: gnuplot networks_diabetes_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_diabetes_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
3e-04,20204.962174022407,NaN
0.001,4704.706430967462,NaN
0.003,3198.365539375255,NaN
0.01,3152.2936116394553,3152.2936116394553
0.03,3220.961279871283,NaN
0.1,4389.047922461061,NaN
END
$m1 << END
3e-04,19046.213215164567,NaN
0.001,4929.024583700865,NaN
0.003,3205.7226002377233,NaN
0.01,3176.499301848475,3176.499301848475
0.03,3333.6231675961208,NaN
0.1,4874.757721886206,NaN
END
$m2 << END
3e-04,18743.51497829043,NaN
0.001,4731.3602253989275,NaN
0.003,3193.613377693409,NaN
0.01,3161.8459035937694,3161.8459035937694
0.03,3233.076883889238,NaN
0.1,4278.907312676173,NaN
END
$m3 << END
3e-04,20233.23639206732,NaN
0.001,4493.190719604369,NaN
0.003,3144.5121554895863,NaN
0.01,3269.9485506941633,NaN
0.03,3131.2657120744097,3131.2657120744097
0.1,4152.431865949864,NaN
END
$m4 << END
3e-04,20180.796444178486,NaN
0.001,4652.335031285104,NaN
0.003,3292.9353068029113,NaN
0.01,3237.18954395089,3237.18954395089
0.03,3315.6366164891315,NaN
0.1,4373.3670051885465,NaN
END
$m5 << END
3e-04,20619.489902085825,NaN
0.001,4776.91651332594,NaN
0.003,3228.6244542092836,NaN
0.01,3137.9425759835103,3137.9425759835103
0.03,3170.601153632589,NaN
0.1,3476.1190184813267,NaN
END
$m6 << END
3e-04,20738.516056347064,NaN
0.001,4761.116249912307,NaN
0.003,3222.7312256785413,NaN
0.01,3172.057034145399,3172.057034145399
0.03,3247.2446106744155,NaN
0.1,3985.371133565918,NaN
END
$m7 << END
3e-04,20201.432516241148,NaN
0.001,4649.9178328204825,NaN
0.003,3225.120982183292,NaN
0.01,3218.8659840480927,3218.8659840480927
0.03,3231.4995219698594,NaN
0.1,4336.191746145973,NaN
END
$m8 << END
3e-04,20204.962174022407,NaN
0.001,4704.706430967462,NaN
0.003,3194.181845309896,NaN
0.01,3124.1591948560363,3124.1591948560363
0.03,3165.421049397074,NaN
0.1,3162.1284860289297,NaN
END
$m9 << END
3e-04,3926.735161849231,NaN
0.001,3926.9320118736687,NaN
0.003,3926.73618829633,NaN
0.01,3926.736695058657,NaN
0.03,3926.7346352211603,3926.7346352211603
0.1,3926.735381762382,NaN
END
$m10 << END
3e-04,20444.95517148105,NaN
0.001,4754.493862168683,NaN
0.003,3621.142747766945,NaN
0.01,3547.649438165994,3547.649438165994
0.03,3685.34299388302,NaN
0.1,3876.9598797104436,NaN
END
$m11 << END
3e-04,20444.894333321423,NaN
0.001,5195.7100120355835,NaN
0.003,4950.290915025547,NaN
0.01,4922.289677143583,NaN
0.03,4848.554541653968,NaN
0.1,4127.876521259231,4127.876521259231
END
$m12 << END
3e-04,26075.540527964233,NaN
0.001,5364.967607069346,NaN
0.003,5204.327476929876,5204.327476929876
0.01,7452.462924349897,NaN
0.03,10719.627813505303,NaN
0.1,9141.595015123026,NaN
END
$m13 << END
3e-04,20035.145031661275,NaN
0.001,4803.22606865517,NaN
0.003,3228.7375503748713,NaN
0.01,3160.4446684591603,3160.4446684591603
0.03,3233.4870464844425,NaN
0.1,4010.5806209363172,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [2811.7432753704325:9684.893504053713]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Diabetes: mse on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
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
