use local_engines::Postgres;
#[test]
fn starts() {
    let t = std::time::Instant::now();
    let p = Postgres::start().unwrap();
    println!("{:?}", t.elapsed());
    let t = std::time::Instant::now();
    p.address().create_database("o", "o'o", "pw").unwrap();
    println!("{:?}", t.elapsed());
    let t = std::time::Instant::now();
    drop(p);
    println!("{:?}", t.elapsed());
    let t = std::time::Instant::now();
    let r = local_engines::Redis::builder()
        .password("a \"b")
        .start()
        .unwrap();
    println!("{:?}", t.elapsed());
    let t = std::time::Instant::now();
    drop(r);
    println!("{:?}", t.elapsed());
}
