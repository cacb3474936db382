# Draws defaults_boston_differences again: gnuplot defaults_boston_differences.gp
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
  terminal_of(kind), width, height, font_of(kind), 'defaults_boston_differences.' . kind . suffix)

set grid linecolor rgb '#dddddd' linetype 1
set style textbox opaque noborder fillcolor rgb 'white'
set tics nomirror
$own_rate << END
-0.15448835742102274,0.24,-1.5815997783010105,1.272623063458965,6
-0.339985101106124,-0.76,-1.1349455196681253,0.45497531745587727,6
2.961142612383806,-1.76,1.0067165543050058,4.915568670462606,6
0.9968975319671842,-2.76,0.1714082902796531,1.8223867736547155,6
1.267050416369482,-3.76,0.06274203839085418,2.4713587943481103,6
3.6780477314256506,-4.76,-0.4307603758357776,7.786855838687079,6
-0.062409373905925006,-5.76,-0.5060765522579677,0.38125780444611773,6
-0.23852843464761606,-6.76,-1.3358878055247414,0.8588309362295092,6
-0.43804832952571604,-7.76,-2.1988521703387915,1.3227555112873597,6
-0.2008756897524662,-8.76,-1.6563877130280413,1.2546363335231088,6
-0.13186399963470283,-9.76,-1.6228568080920815,1.3591288088226758,6
-0.1865484518979436,-10.76,-1.6807622853955633,1.3076653815996757,6
-1.3435347132529405,-11.76,-2.3854524506263854,-0.30161697587949554,6
-0.13879578950993549,-12.76,-0.7310159528915521,0.45342437387168116,6
0.1330294663998381,-13.76,-0.42237615538254003,0.6884350881822162,6
-0.17921608070297976,-14.76,-1.7689820270197445,1.4105498656137851,6
-0.17921608070297976,-15.76,-1.7689820270197445,1.4105498656137851,6
-0.0695456455727931,-17.76,-0.19607515436321474,0.05698386321762854,6
1.4912185124709358,-18.76,-1.0325607958464302,4.014997820788302,6
-0.17785172147857617,-20.76,-1.005925764345039,0.6502223213878868,6
-0.32410820431928195,-21.76,-1.0845279315742669,0.4363115229357029,6
-0.47199572444850724,-22.76,-1.2244641684811275,0.28047271958411324,6
-0.12817637170570173,-23.76,-1.142242161931024,0.8858894185196203,6
-0.17530199683427483,-24.76,-0.9507882468534726,0.6001842531849231,6
-0.48715713470153726,-25.76,-1.2761007510574376,0.3017864816543631,6
-0.339985101106124,-26.76,-1.1349455196681253,0.45497531745587727,6
0.0750902668254621,-27.76,-0.5629554326407701,0.7131359662916943,6
-0.339985101106124,-28.76,-1.1349455196681253,0.45497531745587727,6
END
$equal_steps << END
-0.15448835742102274,0,-1.5815997783010105,1.272623063458965,6
-0.339985101106124,-1,-1.1349455196681253,0.45497531745587727,6
2.961142612383806,-2,1.0067165543050058,4.915568670462606,6
0.9968975319671842,-3,0.1714082902796531,1.8223867736547155,6
1.267050416369482,-4,0.06274203839085418,2.4713587943481103,6
3.6780477314256506,-5,-0.4307603758357776,7.786855838687079,6
-0.062409373905925006,-6,-0.5060765522579677,0.38125780444611773,6
-0.23852843464761606,-7,-1.3358878055247414,0.8588309362295092,6
-0.43804832952571604,-8,-2.1988521703387915,1.3227555112873597,6
-0.2008756897524662,-9,-1.6563877130280413,1.2546363335231088,6
-0.13186399963470283,-10,-1.6228568080920815,1.3591288088226758,6
-0.1865484518979436,-11,-1.6807622853955633,1.3076653815996757,6
-1.3435347132529405,-12,-2.3854524506263854,-0.30161697587949554,6
-0.13879578950993549,-13,-0.7310159528915521,0.45342437387168116,6
0.1330294663998381,-14,-0.42237615538254003,0.6884350881822162,6
-0.17921608070297976,-15,-1.7689820270197445,1.4105498656137851,6
-0.17921608070297976,-16,-1.7689820270197445,1.4105498656137851,6
-0.0695456455727931,-18,-0.19607515436321474,0.05698386321762854,6
1.4912185124709358,-19,-1.0325607958464302,4.014997820788302,6
-0.17785172147857617,-21,-1.005925764345039,0.6502223213878868,6
-0.32410820431928195,-22,-1.0845279315742669,0.4363115229357029,6
-0.47199572444850724,-23,-1.2244641684811275,0.28047271958411324,6
-0.12817637170570173,-24,-1.142242161931024,0.8858894185196203,6
-0.17530199683427483,-25,-0.9507882468534726,0.6001842531849231,6
-0.48715713470153726,-26,-1.2761007510574376,0.3017864816543631,6
-0.339985101106124,-27,-1.1349455196681253,0.45497531745587727,6
0.0750902668254621,-28,-0.5629554326407701,0.7131359662916943,6
-0.339985101106124,-29,-1.1349455196681253,0.45497531745587727,6
END
$equal_time << END
1.599900912773913,-0.24,0.3931588422402876,2.806642983307538,6
1.0784256824791554,-1.24,-0.26356956876234844,2.4204209337206595,6
4.032504687036678,-2.24,1.7529331464348323,6.312076227638524,6
3.4102359298429894,-3.2399999999999998,1.3489082539567483,5.47156360572923,6
4.782704960830714,-4.24,1.2093271777431498,8.356082743918277,6
3.470784522375623,-6.24,0.9820768539118782,5.959492190839367,6
3.0927944312782936,-7.24,1.0004948302338614,5.185094032322725,6
3.0794178937157013,-8.24,1.2470721722561477,4.911763615175255,6
3.125450985073497,-9.24,1.0847218728513914,5.1661800972956025,6
3.1712883927072055,-10.24,1.2706121635033136,5.071964621911096,6
3.102589973443659,-11.24,1.2602377618065599,4.944942185080758,6
2.0530652882479115,-12.24,-1.276161982476975,5.3822925589727975,6
3.5587382909791185,-13.24,-1.1135945700744543,8.23107115203269,6
3.3579042135043204,-14.24,-1.8652738908953364,8.581082317903977,6
2.9539211051262284,-15.24,0.8118537736995078,5.095988436552949,6
2.6334248242150515,-16.24,0.9649594765650791,4.301890171865025,6
2.691281122051068,-18.240000000000002,0.01272680464774123,5.369835439454395,6
4.402679029480459,-19.240000000000002,0.5443594894272668,8.260998569533653,6
2.6857284748738195,-21.240000000000002,-0.22524878156010933,5.596705731307748,6
2.619775823932437,-22.240000000000002,-0.4352572388187467,5.674808886683621,6
0.678452748189543,-23.240000000000002,-0.19131365469697084,1.548219151076057,6
1.0626851458847983,-24.240000000000002,-0.1661807122753606,2.2915510040449574,6
3.687105982657694,-25.240000000000002,0.583816590721406,6.790395374593983,6
2.9965947762624,-26.240000000000002,-1.1123284807942884,7.105518033319088,6
2.886064514551886,-27.240000000000002,0.13730916015996777,5.634819868943805,6
2.7925355763725093,-28.240000000000002,-0.6240235254188498,6.2090946781638685,6
2.8057804519249707,-29.240000000000002,0.22863296710655484,5.382927936743386,6
END
set label '+9.7 % →' at graph 0.99, first -16.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+5943 % →' at graph 0.99, first -19.76 right front noenhanced font ',9' textcolor rgb '#0072B2'
set label '+9.7 % →' at graph 0.99, first -17 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+5943 % →' at graph 0.99, first -20 right front noenhanced font ',9' textcolor rgb '#009E73'
set label '+7.0 % →' at graph 0.99, first -5.24 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+13 % →' at graph 0.99, first -17.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
set label '+6130 % →' at graph 0.99, first -20.240000000000002 right front noenhanced font ',9' textcolor rgb '#D55E00'
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
set arrow from graph 0, first -12.5 to graph 1, first -12.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -13.5 to graph 1, first -13.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -14.5 to graph 1, first -14.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -15.5 to graph 1, first -15.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -16.5 to graph 1, first -16.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -17.5 to graph 1, first -17.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -18.5 to graph 1, first -18.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -19.5 to graph 1, first -19.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -20.5 to graph 1, first -20.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -21.5 to graph 1, first -21.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -22.5 to graph 1, first -22.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -23.5 to graph 1, first -23.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -24.5 to graph 1, first -24.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -25.5 to graph 1, first -25.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -26.5 to graph 1, first -26.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -27.5 to graph 1, first -27.5 nohead linecolor rgb '#dddddd' back
set arrow from graph 0, first -28.5 to graph 1, first -28.5 nohead linecolor rgb '#dddddd' back
set title 'Boston housing' noenhanced font ',16' textcolor rgb ink offset 0,0.5
set xlabel '← better      mse: difference to plain in percent, 95 % interval      worse →' . "\n" . 'filled: p < 0.05, corrected for the number of contrasts' noenhanced font ',11'
set xrange [-6.627680039020451:6.627680039020451]
set yrange [-29.5:0.5]
set ytics ('GAL, recommended' 0, 'GAL, paper' -1, 'untrained adjuster' -2, 'uniform noise' -3, 'normal noise' -4, 'linear adjuster' -5, 'recommended, epsilon 0.3' -6, 'recommended, epsilon 1' -7, 'recommended, epsilon 10' -8, 'recommended, tau 0.1' -9, 'recommended, tau 10' -10, 'recommended, tau 100' -11, 'recommended, hidden 16-4' -12, 'recommended, hidden 64-24' -13, 'recommended, hidden 64-32-16' -14, 'recommended, safeguard Lt <= L' -15, 'recommended, safeguard Lt < L' -16, 'recommended, safeguard always' -17, 'paper, epsilon 0.01' -18, 'paper, epsilon 0.3' -19, 'paper, epsilon 1' -20, 'paper, tau 0.1' -21, 'paper, tau 10' -22, 'paper, tau 100' -23, 'paper, hidden 16' -24, 'paper, hidden 64-24' -25, 'paper, hidden 64-32-16' -26, 'paper, safeguard Lt < L' -27, 'paper, safeguard Lt <= plain''s' -28, 'paper, safeguard always' -29) noenhanced
set grid noytics
set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 1.5 linecolor rgb ink back
set key outside top center horizontal maxrows 1 samplen 2 font ',12'
do for [kind in 'png'] {
  eval start(kind, 1000, 1430)
  plot $own_rate using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#0072B2' title 'own rate', $own_rate using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#0072B2' notitle, \
    $equal_steps using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#009E73' title 'equal steps', $equal_steps using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#009E73' notitle, \
    $equal_time using 1:2:3:4 with xerrorbars linewidth 1.6 pointtype 0 linecolor rgb '#D55E00' title 'equal time', $equal_time using 1:2:5 with points pointtype variable pointsize 1.1 linecolor rgb '#D55E00' notitle
}
unset output
