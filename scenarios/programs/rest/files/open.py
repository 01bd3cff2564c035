open("log")
