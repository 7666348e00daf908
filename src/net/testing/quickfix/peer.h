// What both counterparties made of QuickFIX have in common: they tell each event and each message as a line on stdout (`logon SESSION`,
// `logout SESSION`, `in MESSAGE`, `out MESSAGE`, with `|` for SOH), and take commands from stdin, a line each, until `quit` or its end.
#ifndef OUTCRY_QUICKFIX_PEER_H
#define OUTCRY_QUICKFIX_PEER_H

#include <quickfix/Application.h>
#include <quickfix/DataDictionary.h>
#include <quickfix/MessageStore.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>

#include <algorithm>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

inline void print_line(const std::string &line) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::cout << line << std::endl;
}

inline std::string readable(const FIX::Message &message) {
  std::string text = message.toString();
  std::replace(text.begin(), text.end(), '\001', '|');
  return text;
}

/// A message from its body as `35=D|11=A1|…|`; the session adds the rest. The dictionary tells which tags are of a group.
inline FIX::Message message_of(std::string body, const FIX::SessionID &session, const FIX::DataDictionary &dictionary) {
  std::replace(body.begin(), body.end(), '|', '\001');
  return FIX::Message("8=" + session.getBeginString().getValue() + "\0019=0\001" + body + "10=000\001", dictionary, false);
}

class TellingApplication : public FIX::Application {
 public:
  void onCreate(const FIX::SessionID &) override {}
  void onLogon(const FIX::SessionID &session) override { print_line("logon " + session.toString()); }
  void onLogout(const FIX::SessionID &session) override { print_line("logout " + session.toString()); }
  void toAdmin(FIX::Message &message, const FIX::SessionID &) override { print_line("out " + readable(message)); }
  void fromAdmin(const FIX::Message &message, const FIX::SessionID &)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::RejectLogon) override {
    print_line("in " + readable(message));
  }
  void toApp(FIX::Message &message, const FIX::SessionID &) throw(FIX::DoNotSend) override {
    print_line("out " + readable(message));
  }
  void fromApp(const FIX::Message &message, const FIX::SessionID &session)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::UnsupportedMessageType) override {
    print_line("in " + readable(message));
    take(message, session);
  }

 protected:
  /// An application message, in sequence.
  virtual void take(const FIX::Message &, const FIX::SessionID &) {}
};

/// Settings of a session that lasts all day, in the format of QuickFIX's own files.
inline std::string session_section(const std::string &version, const std::string &dictionary, const std::string &ours,
                                   const std::string &theirs) {
  return "[SESSION]\nBeginString=" + version + "\nSenderCompID=" + ours + "\nTargetCompID=" + theirs +
         "\nDataDictionary=" + dictionary + "\n";
}

inline std::string default_section(const std::string &type) {
  return "[DEFAULT]\nConnectionType=" + type + "\nStartTime=00:00:00\nEndTime=00:00:00\nUseDataDictionary=Y\n";
}

#endif
