x=xxxxxxxxxx
x=$x$x$x$x$x$x$x$x$x$x
x=$x$x$x$x$x$x$x$x$x$x
x=$x$x$x$x$x$x$x$x$x$x
echo "$x$x$x$x$x$x$x$x$x$x"
