// A client made of QuickFIX. Usage: initiator PORT VERSION DICTIONARY SENDER TARGET
// It connects to 127.0.0.1, again a second after a connection was lost, and keeps its numbers between connections.
// Commands: `send BODY`, with a body as `35=D|11=A1|…|`; TransactTime(60)=now stands for the time; `quit`.
#include <quickfix/SocketInitiator.h>
#include <quickfix/FieldConvertors.h>

#include "peer.h"

namespace {

std::string with_time(std::string body) {
  const std::string wanted = "|60=now|";
  const size_t at = body.find(wanted);
  if (at == std::string::npos) return body;
  return body.replace(at, wanted.size(), "|60=" + FIX::UtcTimeStampConvertor::convert(FIX::UtcTimeStamp(), 3) + "|");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 6) {
    std::cerr << "usage: initiator PORT VERSION DICTIONARY SENDER TARGET" << std::endl;
    return 2;
  }
  const FIX::DataDictionary dictionary{std::string(argv[3])};
  const FIX::SessionID session{std::string(argv[2]), std::string(argv[4]), std::string(argv[5])};
  std::istringstream text(default_section("initiator") + "SocketConnectHost=127.0.0.1\nSocketConnectPort=" + argv[1] +
                          "\nReconnectInterval=1\nHeartBtInt=30\n" + session_section(argv[2], argv[3], argv[4], argv[5]));
  FIX::SessionSettings settings(text);
  TellingApplication application;
  FIX::MemoryStoreFactory stores;
  FIX::SocketInitiator initiator(application, stores, settings);
  initiator.start();
  print_line("ready");
  std::string line;
  while (std::getline(std::cin, line) && line != "quit") {
    if (line.compare(0, 5, "send ") != 0) continue;
    FIX::Message message = message_of(with_time(line.substr(5)), session, dictionary);
    FIX::Session::sendToTarget(message, session);
  }
  initiator.stop();
  return 0;
}
