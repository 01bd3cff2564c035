use POSIX;
if (!fork) {
    POSIX::setsid();
    POSIX::pause() if !fork;
    POSIX::_exit(0);
}
wait;
