# Draws networks_digits_adam_rates again: gnuplot networks_digits_adam_rates.gp
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
  terminal_of(kind), width, height, font_of(kind), 'networks_digits_adam_rates.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$m0 << END
3e-04,0.14638971315529178,NaN
0.001,0.0741839762611276,NaN
0.003,0.04846686449060336,NaN
0.01,0.039564787339268055,NaN
0.03,0.033630069238377844,0.033630069238377844
0.1,0.03560830860534125,NaN
END
$m1 << END
3e-04,0.13649851632047477,NaN
0.001,0.07418397626112759,NaN
0.003,0.04253214638971316,NaN
0.01,0.04154302670623145,NaN
0.03,0.036597428288822946,0.036597428288822946
0.1,0.04154302670623145,NaN
END
$m2 << END
3e-04,0.13155291790306628,NaN
0.001,0.07319485657764589,NaN
0.003,0.04253214638971316,NaN
0.01,0.03857566765578635,NaN
0.03,0.03461918892185954,0.03461918892185954
0.1,0.046488625123639965,NaN
END
$m3 << END
3e-04,0.2265084075173096,NaN
0.001,0.08110781404549951,NaN
0.003,0.044510385756676554,NaN
0.01,0.04549950544015826,NaN
0.03,0.046488625123639965,NaN
0.1,0.03857566765578635,0.03857566765578635
END
$m4 << END
3e-04,0.27200791295746785,NaN
0.001,0.13748763600395647,NaN
0.003,0.08704253214638971,NaN
0.01,0.050445103857566766,NaN
0.03,0.04846686449060336,0.04846686449060336
0.1,0.04945598417408506,NaN
END
$m5 << END
3e-04,0.1562809099901088,NaN
0.001,0.10484668644906034,NaN
0.003,0.06824925816023739,NaN
0.01,0.058358061325420374,NaN
0.03,0.050445103857566766,0.050445103857566766
0.1,0.05539070227497527,NaN
END
$m6 << END
3e-04,0.19584569732937684,NaN
0.001,0.11374876360039565,NaN
0.003,0.09198813056379822,NaN
0.01,0.0712166172106825,NaN
0.03,0.057368941641938676,NaN
0.1,0.05242334322453017,0.05242334322453017
END
$m7 << END
3e-04,0.13452027695351138,NaN
0.001,0.0771513353115727,0.0771513353115727
0.003,0.6112759643916914,NaN
0.01,0.9030662710187932,NaN
0.03,0.9159248269040554,NaN
0.1,0.6666666666666666,NaN
END
$m8 << END
3e-04,0.12759643916913946,NaN
0.001,0.06429277942631058,NaN
0.003,0.04451038575667656,NaN
0.01,0.02967359050445104,NaN
0.03,0.025717111770524232,0.025717111770524232
0.1,0.03461918892185954,NaN
END
$m9 << END
3e-04,0.13254203758654798,NaN
0.001,0.06528189910979229,NaN
0.003,0.04451038575667656,NaN
0.01,0.02967359050445104,NaN
0.03,0.025717111770524236,0.025717111770524236
0.1,0.03857566765578635,NaN
END
$m10 << END
3e-04,0.14638971315529178,NaN
0.001,0.0741839762611276,NaN
0.003,0.04846686449060336,NaN
0.01,0.03560830860534125,NaN
0.03,0.03165182987141444,0.03165182987141444
0.1,0.04154302670623145,NaN
END
$m11 << END
3e-04,0.033630069238377844,0.033630069238377844
0.001,0.033630069238377844,NaN
0.003,0.033630069238377844,NaN
0.01,0.033630069238377844,NaN
0.03,0.033630069238377844,NaN
0.1,0.033630069238377844,NaN
END
$m12 << END
3e-04,0.17705242334322455,NaN
0.001,0.0791295746785361,NaN
0.003,0.04846686449060336,NaN
0.01,0.039564787339268055,NaN
0.03,0.03066271018793274,0.03066271018793274
0.1,0.040553907022749754,NaN
END
$m13 << END
3e-04,0.18199802176063304,NaN
0.001,0.08704253214638971,NaN
0.003,0.06429277942631059,NaN
0.01,0.04648862512363996,NaN
0.03,0.03560830860534125,0.03560830860534125
0.1,0.03956478733926805,NaN
END
$m14 << END
3e-04,0.17309594460929772,NaN
0.001,0.0771513353115727,NaN
0.003,0.04846686449060336,NaN
0.01,0.03758654797230465,NaN
0.03,0.03165182987141444,0.03165182987141444
0.1,0.04253214638971316,NaN
END
$m15 << END
3e-04,0.1444114737883284,NaN
0.001,0.0771513353115727,NaN
0.003,0.05143422354104847,NaN
0.01,0.036597428288822946,NaN
0.03,0.03560830860534125,0.03560830860534125
0.1,0.04154302670623146,NaN
END
set logscale x
set format x '10^{%L}'
set key off
set xtics font ',10'
set ytics font ',10'
set title font ',10.5'
set yrange [0.02314540059347181:0.07972304648862512]
do for [kind in 'png'] {
  eval start(kind, 1300, 1030)
  set multiplot layout 4,4 title 'Digits, AdamW: test_error on the validation part over the learning rate' . "\n" . 'blue: the method; red: plain; dots: the rate that was chosen' noenhanced font ',16' textcolor rgb ink margins 0.057692307692307696, 0.985, 0.038834951456310676, 0.8980582524271845 spacing 0.046153846153846156, 0.07184466019417475
  set title 'GAL, recommended, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m1 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m1 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, epsilon tuned, setting 0.5' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m2 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m2 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'GAL, paper, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m3 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m3 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'untrained adjuster, setting 0.01' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m4 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m4 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'uniform noise, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m5 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m5 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'normal noise, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m6 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m6 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'linear adjuster, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m7 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m7 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'label smoothing, setting 0.2' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m8 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m8 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'feature decay, setting 0.01' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m9 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m9 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'mixed features, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m10 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m10 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rescaled, setting 0.01' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m11 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m11 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'held-out samples mixed in, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m12 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m12 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'rates of samples, setting 0' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m13 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m13 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'weights by a network, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m14 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m14 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  set title 'alignment reward, setting 0.1' noenhanced
  plot $m0 using 1:2 with lines linewidth 2.5 linecolor rgb vanilla notitle, $m0 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb vanilla notitle, $m15 using 1:2 with lines linewidth 2.5 linecolor rgb adjusted notitle, $m15 using 1:3 with points pointtype 7 pointsize 1.3 linecolor rgb adjusted notitle
  unset multiplot
}
unset output
