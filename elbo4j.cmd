@echo off
rem Runs the command line of this checkout on Windows: finds a JDK, builds when nothing is built, starts it.
rem ELBO4J_JAVA_OPTS holds further flags for the JVM. After a change of the sources run: mvn -Dmaven.test.skip=true package
setlocal
set "ROOT=%~dp0"
set "JDK="
if defined JAVA_HOME call :consider "%JAVA_HOME%"
if not defined JDK for /f "delims=" %%J in ('where java 2^>nul') do call :consider "%%~dpJ.."
if not defined JDK for /d %%J in ("%ProgramFiles%\Eclipse Adoptium\*" "%ProgramFiles%\Java\*" "%ProgramFiles%\Microsoft\jdk*" "%ProgramFiles%\Zulu\*" "%USERPROFILE%\.jdks\*") do call :consider "%%~J"
if not defined JDK (
  echo elbo4j: no JDK 25 or newer found; install one ^(https://adoptium.net^) or set JAVA_HOME to it 1>&2
  exit /b 2
)
if not exist "%ROOT%cli\target\lib\" (
  where mvn >nul 2>nul || (
    echo elbo4j: Maven is needed to build; install it ^(3.8.7 or newer^), so that mvn is on the PATH 1>&2
    exit /b 2
  )
  echo building elbo4j ^(first run downloads its dependencies^)... 1>&2
  pushd "%ROOT%"
  call mvn -q -B -Dmaven.test.skip=true -Djacoco.skip=true -pl cli -am package 1>&2
  if errorlevel 1 (
    popd
    echo elbo4j: the build failed; its output is above 1>&2
    exit /b 2
  )
  popd
)
"%JDK%\bin\java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Djava.awt.headless=true %ELBO4J_JAVA_OPTS% -cp "%ROOT%cli\target\*;%ROOT%cli\target\lib\*" io.github.elbo4j.cli.Main %*
exit /b %errorlevel%

:consider
if defined JDK exit /b 0
if not exist "%~1\release" exit /b 0
if not exist "%~1\bin\javac.exe" exit /b 0
for /f "tokens=2 delims==." %%V in ('findstr /b "JAVA_VERSION=" "%~1\release"') do set "MAJOR=%%~V"
set "MAJOR=%MAJOR:"=%"
if %MAJOR% GEQ 25 set "JDK=%~1"
exit /b 0
