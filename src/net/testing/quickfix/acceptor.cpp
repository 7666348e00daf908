// A venue made of QuickFIX. Usage: acceptor PORT FIX44.xml FIX42.xml
// It serves OUTCRY in FIX.4.4 and OUTCRY42 in FIX.4.2 as QUICKFIX. A MarketDataRequest is answered with a W of each of its symbols, then an X of the
// first. A limit order rests and can be canceled and replaced; a market order trades at once; one for the symbol NOSUCH is refused.
// Commands: `trade CLORDID QTY PRICE` fills a resting order, `quit`.
#include <quickfix/SocketAcceptor.h>

#include <map>

#include "peer.h"

namespace {

struct Order {
  std::string order_id, symbol, cl_ord_id;
  char side;
  int qty, cum_qty;
  double price;
};

const char *const SNAPSHOT =
    "268=13|"
    "269=0|270=2450.75|271=10|346=2|290=1|"
    "269=0|270=2450.7|271=25|346=4|290=2|"
    "269=1|270=2451|271=5|290=1|"
    "269=1|270=2451.05|271=12|346=1|290=2|"
    "269=1|270=2451.10|271=7|346=3|290=5|"
    "269=2|270=2450.8|271=3|273=04:30:15.250|"
    "269=4|270=2440|"
    "269=5|270=2430.55|"
    "269=7|270=2460.5|"
    "269=8|270=2435.10|"
    "269=9|270=2447.25|"
    "269=B|271=1200300|"
    "269=C|271=42|";

std::string incremental(const std::string &symbol) {
  const std::string of = "55=" + symbol + "|";
  return "268=3|"
         "279=1|269=0|" + of + "270=2450.9|271=40|346=7|290=1|"
         "279=2|269=1|" + of + "290=2|"
         "279=0|269=2|" + of + "270=2450.95|271=8|273=04:30:16.500|";
}

class Venue : public TellingApplication {
 public:
  explicit Venue(const FIX::DataDictionary &dictionary) : dictionary_(dictionary) {}

  /// Fills a resting order; called from the thread of the commands.
  void trade(const std::string &cl_ord_id, int qty, double price) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = orders_.find(cl_ord_id);
    if (found == orders_.end()) return print_line("error no order " + cl_ord_id);
    Order &order = found->second;
    order.cum_qty += qty;
    report(order, 'F', order.cum_qty == order.qty ? '2' : '1', "", qty, price);
  }

 protected:
  void take(const FIX::Message &message, const FIX::SessionID &session) override {
    std::lock_guard<std::mutex> lock(mutex_);
    session_ = session;
    const std::string type = message.getHeader().getField(35);
    if (type == "V") serve_market_data(message);
    if (type == "D") place(message);
    if (type == "F" || type == "G") change(message, type == "G");
  }

 private:
  void send(const std::string &body) {
    FIX::Message message = message_of(body, session_, dictionary_);
    FIX::Session::sendToTarget(message, session_);
  }

  void serve_market_data(const FIX::Message &request) {
    const std::string id = request.getField(262);
    std::string first;
    for (size_t i = 1; i <= request.groupCount(146); i++) {
      const std::string symbol = request.getGroupRef(static_cast<int>(i), 146).getField(55);
      if (first.empty()) first = symbol;
      send("35=W|262=" + id + "|55=" + symbol + "|" + SNAPSHOT);
    }
    send("35=X|262=" + id + "|" + incremental(first));
  }

  void place(const FIX::Message &message) {
    Order order;
    order.cl_ord_id = message.getField(11);
    order.order_id = "V" + std::to_string(++order_count_);
    order.symbol = message.getField(55);
    order.side = message.getField(54)[0];
    order.qty = std::stoi(message.getField(38));
    order.cum_qty = 0;
    order.price = message.isSetField(44) ? std::stod(message.getField(44)) : 0;
    if (order.symbol == "NOSUCH") return report(order, '8', '8', "103=1|58=no such symbol|", 0, 0);
    report(order, '0', '0', "", 0, 0);
    if (message.getField(40) == "1") {
      order.cum_qty = order.qty;
      return report(order, 'F', '2', "", order.qty, 2450.8);
    }
    orders_[order.cl_ord_id] = order;
  }

  void change(const FIX::Message &message, bool replace) {
    const std::string cl_ord_id = message.getField(11), orig = message.getField(41);
    auto found = orders_.find(orig);
    if (found == orders_.end()) {
      send("35=9|37=NONE|11=" + cl_ord_id + "|41=" + orig + "|39=8|434=" + (replace ? "2" : "1") + "|102=1|58=unknown order|");
      return;
    }
    Order order = found->second;
    orders_.erase(found);
    order.cl_ord_id = cl_ord_id;
    if (replace) {
      order.qty = std::stoi(message.getField(38));
      order.price = std::stod(message.getField(44));
      orders_[cl_ord_id] = order;
    }
    report(order, replace ? '5' : '4', replace ? '0' : '4', "41=" + orig + "|", 0, 0);
  }

  void report(const Order &order, char exec_type, char status, const std::string &more, int last_qty, double last_px) {
    const bool done = status == '4' || status == '8';
    const bool fix42 = session_.getBeginString().getValue() == "FIX.4.2";
    std::ostringstream body;
    // 4.2 has no ExecType for a trade: it says what the order has become.
    if (fix42 && exec_type == 'F') exec_type = status;
    body << "35=8|37=" << order.order_id << "|11=" << order.cl_ord_id << "|17=X" << ++exec_count_ << "|150=" << exec_type << "|39=" << status
         << "|55=" << order.symbol << "|54=" << order.side << "|38=" << order.qty << "|40=" << (order.price > 0 ? '2' : '1') << "|";
    if (fix42) body << "20=0|";
    if (order.price > 0) body << "44=" << order.price << "|";
    if (last_qty > 0) body << "32=" << last_qty << "|31=" << last_px << "|";
    body << "151=" << (done ? 0 : order.qty - order.cum_qty) << "|14=" << order.cum_qty << "|6=" << (order.cum_qty > 0 ? last_px : 0)
         << "|60=20260302-04:30:00.000|" << more;
    send(body.str());
  }

  const FIX::DataDictionary &dictionary_;
  std::mutex mutex_;
  FIX::SessionID session_;
  std::map<std::string, Order> orders_;
  int order_count_ = 0;
  int exec_count_ = 0;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::cerr << "usage: acceptor PORT FIX44.xml FIX42.xml" << std::endl;
    return 2;
  }
  const FIX::DataDictionary dictionary{std::string(argv[2])};
  std::istringstream text(default_section("acceptor") + "SocketReuseAddress=Y\nSocketAcceptPort=" + argv[1] + "\n" +
                          session_section("FIX.4.4", argv[2], "QUICKFIX", "OUTCRY") +
                          session_section("FIX.4.2", argv[3], "QUICKFIX", "OUTCRY42"));
  FIX::SessionSettings settings(text);
  Venue venue(dictionary);
  FIX::MemoryStoreFactory stores;
  FIX::SocketAcceptor acceptor(venue, stores, settings);
  acceptor.start();
  print_line("ready");
  std::string line;
  while (std::getline(std::cin, line) && line != "quit") {
    std::istringstream words(line);
    std::string command, cl_ord_id;
    int qty = 0;
    double price = 0;
    words >> command >> cl_ord_id >> qty >> price;
    if (command == "trade") venue.trade(cl_ord_id, qty, price);
  }
  acceptor.stop();
  return 0;
}
