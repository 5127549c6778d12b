# What the Windows installer does beside electron-builder's own: it asks whether to install the desktop or the service,
# opens the firewall where that is asked for, and keeps the data unless somebody says otherwise.
#
#   /S                     without a question
#   /MODE=desktop|service  by default what is installed already, else the desktop
#   /FIREWALL[=port]       lets the LAN in, by default at 8443
#
# electron-builder compiles all of this twice, the second time for the uninstaller.

!include "getProcessInfo.nsh"
!include "nsDialogs.nsh"
!include "WinMessages.nsh"
!include "WordFunc.nsh"
Var pid

!define TASK "Keyswitch"
!define FIREWALL_RULE "Keyswitch"
!define DEFAULT_PORT "8443"
!define ENVIRONMENT_KEY "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"

# %ProgramData%\Keyswitch, for the shell context is that of all users. The desktop's folder is its user's.
!define SERVICE_DATA "$APPDATA\Keyswitch"

# Runs a program of Windows without its window; 0 in $0 where it succeeded.
!macro run COMMAND
  nsExec::Exec `"$SYSDIR\${COMMAND}`
  Pop $0
!macroend
!define run "!insertmacro run"

!macro tellEnvironmentChanged
  SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=5000
!macroend

# The service is not a running app that its user could close. Disabled, its task does not bring it back meanwhile.
!macro customCheckAppRunning
  ${run} `schtasks.exe" /Change /TN "${TASK}" /DISABLE`
  ${run} `schtasks.exe" /End /TN "${TASK}"`
  !insertmacro IS_POWERSHELL_AVAILABLE
  # A desktop that updates itself ends in order, which takes it some seconds.
  ${if} ${isUpdated}
    StrCpy $R1 0
    ${do}
      !insertmacro FIND_PROCESS "${APP_EXECUTABLE_FILENAME}" $R0
      ${if} $R0 != 0
      ${orIf} $R1 = 20
        ${exitDo}
      ${endIf}
      IntOp $R1 $R1 + 1
      Sleep 500
    ${loop}
  ${endIf}
  !insertmacro _CHECK_APP_RUNNING
!macroend

!macro removeService
  ${run} `schtasks.exe" /Delete /TN "${TASK}" /F`
  ReadRegStr $0 HKLM "${ENVIRONMENT_KEY}" "KEYSWITCH_DATA"
  ${if} $0 == "${SERVICE_DATA}"
    DeleteRegValue HKLM "${ENVIRONMENT_KEY}" "KEYSWITCH_DATA"
    !insertmacro tellEnvironmentChanged
  ${endIf}
!macroend

!ifndef BUILD_UNINSTALLER

Var mode
Var installedMode
Var firewallPort
Var desktopButton
Var serviceButton
Var firewallBox
Var taskFile

# Says what could not be done; without a question, on the standard error of whoever started it.
!macro tell MESSAGE
  ${if} ${Silent}
    System::Call 'kernel32::AttachConsole(i -1)'
    System::Call 'kernel32::GetStdHandle(i -12) p .r0'
    FileWrite $0 "${MESSAGE}$\r$\n"
  ${else}
    MessageBox MB_OK|MB_ICONSTOP "${MESSAGE}"
  ${endIf}
  SetErrorLevel 2
!macroend
!define tell "!insertmacro tell"

# After the languages, which these belong to.
!macro customHeader
  LangString modeTitle ${LANG_ENGLISH} "What this PC is for"
  LangString modeTitle ${LANG_GERMAN} "Wofür dieser PC da ist"
  LangString modeSubtitle ${LANG_ENGLISH} "It can be changed by running this installer again."
  LangString modeSubtitle ${LANG_GERMAN} "Es lässt sich ändern, indem Sie dieses Installationsprogramm noch einmal ausführen."
  LangString modeDesktop ${LANG_ENGLISH} "Control room: the desktop, started by whoever uses this PC"
  LangString modeDesktop ${LANG_GERMAN} "Leitwarte: die Desktop-Anwendung, gestartet von der Person an diesem PC"
  LangString modeService ${LANG_ENGLISH} "Server: a service without a window, started with Windows"
  LangString modeService ${LANG_GERMAN} "Server: ein Dienst ohne Fenster, der mit Windows startet"
  LangString modeFirewall ${LANG_ENGLISH} "Let other devices reach it through Windows Firewall (TCP port ${DEFAULT_PORT})"
  LangString modeFirewall ${LANG_GERMAN} "Andere Geräte durch die Windows-Firewall zulassen (TCP-Port ${DEFAULT_PORT})"
  LangString modeUnknown ${LANG_ENGLISH} "/MODE is desktop or service."
  LangString modeUnknown ${LANG_GERMAN} "/MODE ist desktop oder service."
  LangString firewallUnknown ${LANG_ENGLISH} "/FIREWALL is for a port from 1 to 65535."
  LangString firewallUnknown ${LANG_GERMAN} "/FIREWALL ist für einen Port von 1 bis 65535."
  LangString firewallFailed ${LANG_ENGLISH} "Windows Firewall refused its rule: other devices cannot reach Keyswitch yet. All else is installed."
  LangString firewallFailed ${LANG_GERMAN} "Die Windows-Firewall hat die Regel abgelehnt: Andere Geräte erreichen Keyswitch noch nicht. Alles andere ist installiert."
  LangString dataNotOurs ${LANG_ENGLISH} "The service would keep its data in ${SERVICE_DATA}, which is there already and was not made by this installer. Move it away, then install again."
  LangString dataNotOurs ${LANG_GERMAN} "Der Dienst würde seine Daten in ${SERVICE_DATA} ablegen. Das gibt es schon, und es stammt nicht von diesem Installationsprogramm. Verschieben Sie es, und installieren Sie dann noch einmal."
  LangString serviceFailed ${LANG_ENGLISH} "The service could not be set up: Windows refused its task."
  LangString serviceFailed ${LANG_GERMAN} "Der Dienst konnte nicht eingerichtet werden: Windows hat seine Aufgabe abgelehnt."
!macroend

!macro customInit
  ReadRegStr $installedMode HKLM "${INSTALL_REGISTRY_KEY}" "Mode"
  StrCpy $mode $installedMode
  ReadRegStr $firewallPort HKLM "${INSTALL_REGISTRY_KEY}" "FirewallPort"
  ${if} $mode == ""
    StrCpy $mode "desktop"
  ${endIf}

  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/MODE=" $R1
  ${ifNot} ${Errors}
    StrCpy $mode $R1
  ${endIf}
  ${if} $mode != "desktop"
  ${andIf} $mode != "service"
    ${tell} "$(modeUnknown)"
    Quit
  ${endIf}

  ClearErrors
  ${GetOptions} $R0 "/FIREWALL" $R1
  ${ifNot} ${Errors}
    ${if} $R1 == ""
      StrCpy $R1 "=${DEFAULT_PORT}"
    ${endIf}
    StrCpy $firewallPort $R1 "" 1
    # A number is what reads back as it was written.
    IntOp $R2 $firewallPort + 0
    ${if} $R1 != "=$R2"
    ${orIf} $R2 < 1
    ${orIf} $R2 > 65535
      ${tell} "$(firewallUnknown)"
      Quit
    ${endIf}
  ${endIf}

  # Before anything is changed; where there are pages, theirs asks.
  ${if} ${Silent}
  ${andIf} $mode == "service"
    Call judgeServiceData
    ${if} $0 == "others"
      ${tell} "$(dataNotOurs)"
      Quit
    ${endIf}
  ${endIf}
!macroend

# In a macro, like all that needs electron-builder's plugins: they are found only after this file was read.
!macro customPageAfterChangeDir
  Function askMode
    ${if} ${isUpdated}
      Abort
    ${endIf}
    !insertmacro MUI_HEADER_TEXT "$(modeTitle)" "$(modeSubtitle)"
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateRadioButton} 0 8u 100% 12u "$(modeDesktop)"
    Pop $desktopButton
    ${NSD_CreateRadioButton} 0 26u 100% 12u "$(modeService)"
    Pop $serviceButton
    ${NSD_CreateCheckbox} 0 56u 100% 12u "$(modeFirewall)"
    Pop $firewallBox
    ${if} $mode == "service"
      ${NSD_Check} $serviceButton
    ${else}
      ${NSD_Check} $desktopButton
    ${endIf}
    ${if} $firewallPort != ""
      ${NSD_Check} $firewallBox
    ${endIf}
    nsDialogs::Show
  FunctionEnd

  Function takeMode
    ${NSD_GetState} $serviceButton $0
    ${if} $0 == ${BST_CHECKED}
      StrCpy $mode "service"
      Call judgeServiceData
      ${if} $0 == "others"
        MessageBox MB_OK|MB_ICONSTOP "$(dataNotOurs)"
        Abort
      ${endIf}
    ${else}
      StrCpy $mode "desktop"
    ${endIf}
    ${NSD_GetState} $firewallBox $0
    ${if} $0 != ${BST_CHECKED}
      StrCpy $firewallPort ""
    ${elseIf} $firewallPort == ""
      StrCpy $firewallPort "${DEFAULT_PORT}"
    ${endIf}
  FunctionEnd

  Page custom askMode takeMode
!macroend

# Whose the service's folder is, in $0: "none" where there is none, "ours", or "others". Anybody may make one in
# ProgramData before, with content for the service, or have it lead elsewhere.
Function judgeServiceData
  StrCpy $1 "${SERVICE_DATA}"
  System::Call 'kernel32::GetFileAttributesW(w r1) i .r2'
  ${if} $2 = -1
    StrCpy $0 "none"
    Return
  ${endIf}
  ${if} $installedMode == "service"
    StrCpy $0 "ours"
    Return
  ${endIf}
  StrCpy $0 "others"
  # A folder (0x10), and no junction or link (0x400).
  IntOp $2 $2 & 0x410
  ${if} $2 <> 0x10
    Return
  ${endIf}
  # Empty, it goes: whoever made it would still be its owner.
  ClearErrors
  RMDir "$1"
  ${ifNot} ${Errors}
    StrCpy $0 "none"
    Return
  ${endIf}
  # Kept when a service was removed: owned by Administrators (26), inheriting no rights (SE_DACL_PROTECTED). Nobody else
  # can make one like that.
  System::Call 'advapi32::GetNamedSecurityInfoW(w r1, i 1, i 5, *p .r2, p 0, p 0, p 0, *p .r3) i .r4'
  ${if} $4 <> 0
    Return
  ${endIf}
  System::Call 'advapi32::IsWellKnownSid(p r2, i 26) i .r4'
  System::Call 'advapi32::GetSecurityDescriptorControl(p r3, *i .r5, *i .r6)'
  System::Call 'kernel32::LocalFree(p r3)'
  IntOp $5 $5 & 0x1000
  ${if} $4 <> 0
  ${andIf} $5 <> 0
    StrCpy $0 "ours"
  ${endIf}
FunctionEnd

# SYSTEM and Administrators, its owner, may do all, LOCAL SERVICE what it needs, and nobody else anything.
!macro makeServiceData
  Call judgeServiceData
  ${if} $0 == "none"
    # With these rights from its first moment; it fails where somebody else was faster.
    StrCpy $2 "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;LS)"
    System::Call 'advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(w r2, i 1, *p .r3, p 0)'
    System::Call '*(i 12, p r3, i 0) p .r4'
    System::Call 'kernel32::CreateDirectoryW(w r1, p r4) i .r5'
    System::Free $4
    System::Call 'kernel32::LocalFree(p r3)'
    ${if} $5 = 0
      StrCpy $0 "others"
    ${endIf}
  ${endIf}
  ${if} $0 == "others"
    ${tell} "$(dataNotOurs)"
    Abort
  ${endIf}
  ${run} `icacls.exe" "${SERVICE_DATA}" /setowner *S-1-5-32-544 /L /Q`
  ${run} `icacls.exe" "${SERVICE_DATA}" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-19:(OI)(CI)M /L /Q`
!macroend

!macro escapeXml TEXT
  ${WordReplace} `${TEXT}` "&" "&amp;" "+" ${TEXT}
  ${WordReplace} `${TEXT}` "<" "&lt;" "+" ${TEXT}
  ${WordReplace} `${TEXT}` ">" "&gt;" "+" ${TEXT}
  ${WordReplace} `${TEXT}` '"' "&quot;" "+" ${TEXT}
!macroend

!macro line TEXT
  FileWriteUTF16LE $taskFile `${TEXT}$\r$\n`
!macroend
!define line "!insertmacro line"

# Started with Windows and at once; and every minute, which does nothing where it runs already.
!macro writeTask
  StrCpy $1 "$appExe"
  !insertmacro escapeXml $1
  StrCpy $2 "${SERVICE_DATA}"
  !insertmacro escapeXml $2
  FileOpen $taskFile "$PLUGINSDIR\task.xml" w
  FileWriteUTF16LE /BOM $taskFile `<?xml version="1.0" encoding="UTF-16"?>$\r$\n`
  ${line} `<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">`
  ${line} `  <RegistrationInfo><Description>Keyswitch without a window.</Description></RegistrationInfo>`
  ${line} `  <Triggers>`
  ${line} `    <BootTrigger><Repetition><Interval>PT1M</Interval></Repetition></BootTrigger>`
  ${line} `    <RegistrationTrigger><Repetition><Interval>PT1M</Interval></Repetition></RegistrationTrigger>`
  ${line} `  </Triggers>`
  ${line} `  <Principals><Principal id="Service"><UserId>S-1-5-19</UserId></Principal></Principals>`
  ${line} `  <Settings>`
  ${line} `    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>`
  ${line} `    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>`
  ${line} `    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>`
  ${line} `    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>`
  ${line} `    <Priority>4</Priority>`
  ${line} `  </Settings>`
  ${line} `  <Actions Context="Service">`
  ${line} `    <Exec><Command>"$1"</Command><Arguments>serve --data "$2"</Arguments></Exec>`
  ${line} `  </Actions>`
  ${line} `</Task>`
  FileClose $taskFile
!macroend

# A task at the start of Windows, for Windows runs only programs as services that are written as such. LOCAL SERVICE has
# next to no rights, and no password that could expire.
!macro installService
  # A window of its own would be a second host.
  Delete "$newDesktopLink"
  Delete "$newStartMenuLink"

  # So that the command line means the service's folder too.
  WriteRegStr HKLM "${ENVIRONMENT_KEY}" "KEYSWITCH_DATA" "${SERVICE_DATA}"
  !insertmacro tellEnvironmentChanged

  !insertmacro writeTask
  ${run} `schtasks.exe" /Create /TN "${TASK}" /XML "$PLUGINSDIR\task.xml" /F`
  ${if} $0 != 0
    ${tell} "$(serviceFailed)"
    Abort
  ${endIf}
!macroend

!macro customInstall
  # Refused, it is no service that was installed.
  ${if} $mode == "service"
    !insertmacro makeServiceData
  ${endIf}
  WriteRegStr HKLM "${INSTALL_REGISTRY_KEY}" "Mode" "$mode"
  WriteRegStr HKLM "${INSTALL_REGISTRY_KEY}" "FirewallPort" "$firewallPort"
  ${if} $mode == "service"
    !insertmacro installService
  ${else}
    !insertmacro removeService
  ${endIf}

  ${run} `netsh.exe" advfirewall firewall delete rule name="${FIREWALL_RULE}"`
  ${if} $firewallPort != ""
    ${run} `netsh.exe" advfirewall firewall add rule name="${FIREWALL_RULE}" dir=in action=allow protocol=TCP localport=$firewallPort program="$appExe"`
    ${if} $0 != 0
      ${tell} "$(firewallFailed)"
    ${endIf}
  ${endIf}
!macroend

# As electron-builder does, but by way of .onInstFailed, where its Quit would leave the service disabled.
!macro customUnInstallCheck
  ${ifNot} ${Errors}
  ${andIf} $R0 != 0
    ${tell} "$(uninstallFailed): $R0"
    Abort
  ${endIf}
!macroend

# What was disabled for the installation goes on. Reached by Abort, not by Quit.
Function .onInstFailed
  ${run} `schtasks.exe" /Change /TN "${TASK}" /ENABLE`
  ${run} `schtasks.exe" /Run /TN "${TASK}"`
FunctionEnd

# The last page offers to start the desktop, where there is one.
!macro customFinishPage
  Function startDesktop
    ${StdUtils.ExecShellAsUser} $0 "$launchLink" "open" ""
  FunctionEnd
  !define MUI_FINISHPAGE_RUN
  !define MUI_FINISHPAGE_RUN_FUNCTION "startDesktop"
  !define MUI_PAGE_CUSTOMFUNCTION_SHOW "offerDesktop"
  !insertmacro MUI_PAGE_FINISH
  Function offerDesktop
    ${if} $mode == "service"
      SendMessage $mui.FinishPage.Run ${BM_SETCHECK} ${BST_UNCHECKED} 0
      ShowWindow $mui.FinishPage.Run ${SW_HIDE}
    ${endIf}
  FunctionEnd
!macroend

!else

Var dataFolder

!macro customHeader
  LangString askForData ${LANG_ENGLISH} "Delete the data as well? Users, settings and the audit trail are in$\r$\n$dataFolder$\r$\nand cannot be had back."
  LangString askForData ${LANG_GERMAN} "Auch die Daten löschen? Benutzer, Einstellungen und das Audit-Protokoll liegen in$\r$\n$dataFolder$\r$\nund sind danach nicht wiederherstellbar."
!macroend

# An upgrade runs the old version's uninstaller: then everything stays for the new one.
!macro customUnInstall
  ${ifNot} ${isUpdated}
    !insertmacro removeService
    ${run} `netsh.exe" advfirewall firewall delete rule name="${FIREWALL_RULE}"`
    StrCpy $dataFolder "${SERVICE_DATA}"
    Call un.offerToDelete
    # The desktop's, of whoever removes it.
    SetShellVarContext current
    StrCpy $dataFolder "$LOCALAPPDATA\Keyswitch"
    SetShellVarContext all
    Call un.offerToDelete
  ${endIf}
!macroend

# Silently it stays.
Function un.offerToDelete
  ${ifNot} ${FileExists} "$dataFolder\*.*"
    Return
  ${endIf}
  MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(askForData)" /SD IDNO IDNO keep
  RMDir /r "$dataFolder"
  keep:
FunctionEnd

!endif
