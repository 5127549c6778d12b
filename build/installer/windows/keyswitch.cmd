@rem The command line: a script waits for the program's end, a prompt would not.
@"%~dp0..\Keyswitch.exe" %*
