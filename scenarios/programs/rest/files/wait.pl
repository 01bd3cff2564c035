system("cat");
