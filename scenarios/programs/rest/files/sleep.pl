sleep(100000);
